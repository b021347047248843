"""Likely label errors, by out-of-fold probabilities (confident learning)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.metrics.checks import check_probs
from busight.types import FloatArray, IntArray

MARGIN = 0.3
"""Chosen on one set of 1,200 phantoms and tried on others; see docs/log/2026-11-audit.md."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelIssues:
    """Cases with a likely label error.

    Attributes:
        index: int64 (M,), the cases, the most confident first.
        suggested: int64 (M,), the class with the highest probability.
        self_confidence: float64 (M,), probability of the given label.
    """

    index: IntArray
    suggested: IntArray
    self_confidence: FloatArray


def label_issues(target: IntArray, probs: FloatArray, margin: float = MARGIN) -> LabelIssues:
    """Return the cases that the network assigns to another class than their label, by more than a margin.

    A case is an issue where the most probable class exceeds its label's probability by more than the margin: confident
    learning's normalised margin with one bound for all classes. Its own bound, a probability above the class's mean,
    returns fewer: where a network is confident on nearly all cases, the mean is so high that half of the label errors
    lie below it.

    Args:
        target: int64 (N,), labels 0..K-1.
        probs: float64 (N, K), each row by a network that did not train on the case or on a near-duplicate of it.
        margin: 0–1.

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.

    Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal of
        Artificial Intelligence Research 70, 2021, section 3.2 (ranking by normalised margin).

    Example:
        >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]])
        >>> label_issues(np.array([0, 0, 1, 1, 0]), probs).index.tolist()
        [3]
    """
    check_probs(target, probs)
    # cleanlab has the same margins (the tests compare them); it would bring pandas for these five lines. A class
    # without labelled cases was never trained and is never suggested.
    trained = np.bincount(target, minlength=probs.shape[1]) > 0
    suggested = np.where(trained, probs, -1.0).argmax(axis=1)
    rows = np.arange(len(target))
    ahead = probs[rows, suggested] - probs[rows, target]
    wrong = np.flatnonzero(ahead > margin)
    order = wrong[np.argsort(-ahead[wrong], kind="stable")]
    return LabelIssues(order, suggested[order], probs[order, target[order]])
