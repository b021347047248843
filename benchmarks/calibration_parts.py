"""Scores of calibration that only the benchmark looks at: ECE over bins of equally many cases, Brier's parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics.calibration_error import ECE_BINS, confidence_bin
from busight.metrics.checks import check_probs, check_scores
from busight.types import FloatArray, IntArray


def adaptive_ece(target: IntArray, probs: FloatArray, bins: int = ECE_BINS) -> float:
    """Return the calibration error over bins of equally many cases instead of equally wide ones.

    Most cases of a good network are sure ones: equally wide bins then hold a handful each but the last.

    Args:
        target: int64 (N,), actual class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        bins: Number of bins; never more than cases.

    Returns:
        0–1.

    Raises:
        DataError: The arrays do not belong together.

    Source: Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural language processing
        models", EMNLP 2015, section 3.1 (bins of equal size).
    """
    check_probs(target, probs)
    confidence = probs.max(1)
    bins = min(bins, len(target))
    place = np.empty(len(target), dtype=np.int64)
    place[np.argsort(confidence, kind="stable")] = np.arange(len(target)) * bins // len(target)
    gaps = np.bincount(place, (probs.argmax(1) == target) - confidence, bins)
    return float(np.abs(gaps).sum() / len(target))


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Where a Brier score of one class against the rest comes from.

    Attributes:
        reliability: Mean squared gap between probability and frequency in bins; 0 is perfect calibration.
        resolution: How far the bins' frequencies lie from the mean frequency; the higher the better.
        uncertainty: Of the class itself, frequency × (1 − frequency).
    """

    reliability: float
    resolution: float
    uncertainty: float


def brier_parts(positive: NDArray[np.bool_], probs: FloatArray, bins: int = ECE_BINS) -> BrierParts:
    """Split the Brier score of one class against the rest: reliability − resolution + uncertainty.

    Exact where every bin holds one value of the probability; with wider bins what varies inside a bin is left over.

    Args:
        positive: bool (N,), of the class.
        probs: float64 (N,), probability of the class.
        bins: Equally wide bins over 0–1.

    Raises:
        DataError: The arrays do not belong together.

    Source: Murphy, "A new vector partition of the probability score", 1973, eq. 7.

    Example:
        >>> found = brier_parts(np.array([True, False, False, False]), np.array([0.5, 0.5, 0.0, 0.0]))
        >>> found.reliability, found.resolution, found.uncertainty
        (0.0, 0.0625, 0.1875)
    """
    check_scores(probs, positive)
    place = confidence_bin(probs, bins)
    count = np.bincount(place, minlength=bins)
    held = count > 0
    share = count[held] / len(probs)
    frequency = np.bincount(place, positive, bins)[held] / count[held]
    given = np.bincount(place, probs, bins)[held] / count[held]
    base = float(positive.mean())
    return BrierParts(
        reliability=float((share * (given - frequency) ** 2).sum()),
        resolution=float((share * (frequency - base) ** 2).sum()),
        uncertainty=base * (1 - base),
    )
