"""Which labels are likely wrong, by confident learning on probabilities that a network gave to images it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.assess.cases import check_probs
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LabelIssues:
    """Cases whose label is likely wrong.

    Attributes:
        index: int64 (M,), the cases, the surest first.
        suggested: int64 (M,), the class that the network is confident of.
        self_confidence: float64 (M,), probability of the given label.
        thresholds: float64 (K,), mean probability of each class among the cases labelled so; NaN without any.
    """

    index: IntArray
    suggested: IntArray
    self_confidence: FloatArray
    thresholds: FloatArray


def label_issues(target: IntArray, probs: FloatArray) -> LabelIssues:
    """Find cases that the network confidently puts into another class than their label.

    A class is confident where its probability reaches the mean that it has among the cases labelled so; where several
    are, the most probable one counts. A case is an issue when its confident class is more probable than its label.

    Args:
        target: int64 (N,), labels 0..K-1.
        probs: float64 (N, K), each row by a network that did not train on the case or on a copy of it.

    Raises:
        DataError: The arrays do not belong together.

    Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021, eq. 1 and
        2 (the off-diagonal of the confident joint).

    Example:
        >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.9, 0.1], [0.2, 0.8]])
        >>> label_issues(np.array([0, 0, 1, 1, 1]), probs).index.tolist()
        [3]
    """
    check_probs(target, probs)
    n_classes = probs.shape[1]
    own = [probs[target == k, k] for k in range(n_classes)]
    thresholds = np.array([values.mean() if len(values) else np.nan for values in own])
    # A class that no case is labelled with has no threshold and is never suggested.
    confident: NDArray[np.bool_] = probs >= np.nan_to_num(thresholds, nan=np.inf)
    suggested = np.where(confident, probs, -1.0).argmax(axis=1)
    rows = np.arange(len(target))
    likelier = probs[rows, suggested] > probs[rows, target]
    wrong = np.flatnonzero(confident.any(axis=1) & likelier)
    given = probs[wrong, target[wrong]]
    order = np.argsort(given - probs[wrong, suggested[wrong]], kind="stable")
    return LabelIssues(wrong[order], suggested[wrong][order], given[order], thresholds)
