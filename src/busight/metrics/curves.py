"""Points of ROC, precision–recall and reliability curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics.calibration_error import ECE_BINS, confidence_bin
from busight.metrics.checks import check_probs
from busight.metrics.ranking import counts_at_thresholds
from busight.metrics.ratio import ratio
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RocPoints:
    """A ROC curve from (0, 0) to (1, 1), one point for each distinct score.

    Attributes:
        false_positive_rate: float64 (T,), 1 − specificity, rising; NaN throughout where there is no negative case.
        sensitivity: float64 (T,), rising; NaN throughout where there is no positive case.
        threshold: float64 (T,): a case is called positive at ``score >= threshold``; the first is infinite.
    """

    false_positive_rate: FloatArray
    sensitivity: FloatArray
    threshold: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallPoints:
    """A precision–recall curve, one point for each distinct score, from the highest threshold down.

    Draw it as steps: between two points precision does not run along a line.

    Attributes:
        recall: float64 (T,), rising to 1; NaN throughout where there is no positive case.
        precision: float64 (T,).
        threshold: float64 (T,): a case is called positive at ``score >= threshold``.
    """

    recall: FloatArray
    precision: FloatArray
    threshold: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """Confidence against accuracy, in equally wide bins of the highest probability of a case.

    Attributes:
        edges: float64 (B + 1,): bin m holds confidences in (edges[m], edges[m + 1]].
        confidence: float64 (B,), mean confidence; NaN in a bin without cases.
        accuracy: float64 (B,), share of right predictions; NaN in a bin without cases.
        count: int64 (B,), cases.
    """

    edges: FloatArray
    confidence: FloatArray
    accuracy: FloatArray
    count: IntArray


def roc_points(score: FloatArray, positive: NDArray[np.bool_]) -> RocPoints:
    """Return the ROC curve.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).

    Raises:
        DataError: There is no case, shapes differ, or a score is not finite.

    Example:
        >>> points = roc_points(np.array([0.9, 0.4, 0.1]), np.array([True, False, True]))
        >>> points.false_positive_rate.tolist(), points.sensitivity.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    counts = counts_at_thresholds(score, positive)
    hits, false_positives = np.append(0.0, counts.true_positives), np.append(0.0, counts.false_positives)
    return RocPoints(
        ratio(false_positives, false_positives[-1]), ratio(hits, hits[-1]), np.append(np.inf, counts.threshold)
    )


def precision_recall_points(score: FloatArray, positive: NDArray[np.bool_]) -> PrecisionRecallPoints:
    """Return the precision–recall curve.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).

    Raises:
        DataError: There is no case, shapes differ, or a score is not finite.
    """
    counts = counts_at_thresholds(score, positive)
    hits = counts.true_positives
    return PrecisionRecallPoints(ratio(hits, hits[-1]), ratio(hits, hits + counts.false_positives), counts.threshold)


def reliability_bins(target: IntArray, probs: FloatArray, bins: int = ECE_BINS) -> ReliabilityBins:
    """Return the bins of a reliability diagram; the ECE is the mean of their gaps, weighted by ``count``.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        bins: Number of bins over 0–1.

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.

    Source: Guo et al., "On calibration of modern neural networks", 2017, section 2.
    """
    check_probs(target, probs)
    confidence, right = probs.max(1), probs.argmax(1) == target
    bin_of_case = confidence_bin(confidence, bins)
    count = np.bincount(bin_of_case, minlength=bins)
    return ReliabilityBins(
        np.linspace(0.0, 1.0, bins + 1),
        ratio(np.bincount(bin_of_case, confidence, bins), count),
        ratio(np.bincount(bin_of_case, right, bins), count),
        count.astype(np.int64),
    )
