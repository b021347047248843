"""Ranking metrics of a score: AUROC and average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics.checks import check_scores
from busight.metrics.ratio import ratio
from busight.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdCounts:
    """True and false positives at ``score >= threshold``, for every distinct score, from the highest down.

    Attributes:
        threshold: float64 (T,), falling.
        true_positives: float64 (..., T), weighted counts; the last is the number of positive cases.
        false_positives: float64 (..., T); the last is the number of negative cases.
    """

    threshold: FloatArray
    true_positives: FloatArray
    false_positives: FloatArray


def counts_at_thresholds(
    score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None
) -> ThresholdCounts:
    """Count true and false positives at every distinct score.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).
        weights: float64 (..., N): how often each case counts; None for once each.

    Raises:
        DataError: There is no case, shapes differ, or a score is not finite.
    """
    check_scores(score, positive)
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    # Cases with equal scores are on one side of a threshold: only the last of a tie is one.
    last_of_tie = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    in_order = (np.ones(len(score)) if weights is None else weights)[..., order]
    called = in_order.cumsum(-1)[..., last_of_tie]
    true_positives = (in_order * positive[order]).cumsum(-1)[..., last_of_tie]
    return ThresholdCounts(falling[last_of_tie], true_positives, called - true_positives)


def auroc(score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None) -> FloatArray:
    """Return the area under the ROC curve: the chance that a positive case outranks a negative one, ties half.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...), 0–1; NaN where there is no positive or no negative case.

    Raises:
        DataError: There is no case, shapes differ, or a score is not finite.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.

    Example:
        >>> float(auroc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])))
        0.875
    """
    return auroc_of_counts(counts_at_thresholds(score, positive, weights))


def average_precision(score: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None) -> FloatArray:
    """Return the mean precision over the positive cases, Σ (R_t − R_{t−1}) P_t, without interpolation.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...), 0–1; NaN where there is no positive case.

    Raises:
        DataError: There is no case, shapes differ, or a score is not finite.

    Source: scikit-learn ``average_precision_score``; unlike the trapezoid it is not biased upwards (Davis and Goadrich,
        "The relationship between precision-recall and ROC curves", 2006).
    """
    return average_precision_of_counts(counts_at_thresholds(score, positive, weights))


def auroc_of_counts(counts: ThresholdCounts) -> FloatArray:
    """Return the area under the ROC curve from threshold counts, shape (...)."""
    hits, false_positives = counts.true_positives, counts.false_positives
    mean_height = hits - np.diff(hits, prepend=0.0) / 2
    area = (np.diff(false_positives, prepend=0.0) * mean_height).sum(-1)
    return ratio(area, hits[..., -1] * false_positives[..., -1])


def average_precision_of_counts(counts: ThresholdCounts) -> FloatArray:
    """Return the average precision from threshold counts, shape (...)."""
    hits = counts.true_positives
    new_hits = np.diff(hits, prepend=0.0)
    # Where a resample holds no case yet, precision is undefined, but recall does not rise either.
    precision = np.nan_to_num(ratio(hits, hits + counts.false_positives))
    return ratio((new_hits * precision).sum(-1), hits[..., -1])
