"""Which labels are likely wrong, by the probabilities that a network gave to images it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.metrics.checks import check_probs
from busight.types import FloatArray, IntArray

MARGIN = 0.3
"""Chosen on one set of 1,200 phantoms and tried on others; see docs/log/2026-11-audit.md."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelIssues:
    """Cases whose label is likely wrong.

    Attributes:
        index: int64 (M,), the cases, the surest first.
        suggested: int64 (M,), the class that the network holds likeliest.
        self_confidence: float64 (M,), probability of the given label.
    """

    index: IntArray
    suggested: IntArray
    self_confidence: FloatArray


def label_issues(target: IntArray, probs: FloatArray, margin: float = MARGIN) -> LabelIssues:
    """Find cases that the network clearly puts into another class than their label.

    A case is an issue where the likeliest class is more probable than its label by more than the margin: confident
    learning's normalised margin with one bound for all classes. Its own bound, a probability above the class's mean,
    names fewer: where a network is sure of nearly all cases the mean lies so high that half of the wrong labels hide
    below it.

    Args:
        target: int64 (N,), labels 0..K-1.
        probs: float64 (N, K), each row by a network that did not train on the case or on a copy of it.
        margin: 0–1.

    Raises:
        DataError: The arrays do not belong together.

    Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal of
        Artificial Intelligence Research 70, 2021, section 3.2 (ranking by normalised margin).

    Example:
        >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]])
        >>> label_issues(np.array([0, 0, 1, 1, 0]), probs).index.tolist()
        [3]
    """
    check_probs(target, probs)
    # cleanlab has the same margins (the tests compare them); it would bring pandas for these five lines.
    # A class that no case is labelled with was never trained and is never suggested.
    trained = np.bincount(target, minlength=probs.shape[1]) > 0
    suggested = np.where(trained, probs, -1.0).argmax(axis=1)
    rows = np.arange(len(target))
    ahead = probs[rows, suggested] - probs[rows, target]
    wrong = np.flatnonzero(ahead > margin)
    order = wrong[np.argsort(-ahead[wrong], kind="stable")]
    return LabelIssues(order, suggested[order], probs[order, target[order]])
