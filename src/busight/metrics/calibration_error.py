"""Proper scoring rules and calibration errors of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics.checks import check_probs, check_scores
from busight.metrics.ratio import ratio, weighted_mean
from busight.types import FloatArray, IntArray

ECE_BINS = 15
"""Bins of Guo et al. 2017, section 2; the value depends on it, so it is the same everywhere."""


def brier(target: IntArray, probs: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the mean squared distance of the probability vector from the truth, summed over classes.

    Brier's own convention, 0–2. For two classes it is twice the value of scikit-learn's binary ``brier_score_loss``.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...).

    Raises:
        DataError: The arrays do not belong together.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950, eq. 2.

    Example:
        >>> float(brier(np.array([0]), np.array([[0.5, 0.25, 0.25]])))
        0.375
    """
    check_probs(target, probs)
    truth = np.zeros_like(probs)
    truth[np.arange(len(target)), target] = 1.0
    return weighted_mean(((probs - truth) ** 2).sum(1), weights)


def log_loss(target: IntArray, probs: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the mean negative logarithm (base e) of the probability that the target class was given.

    A probability of 0 is read as 2⁻⁵² (scikit-learn's convention), so that one such case costs 36 and not infinity.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...).

    Raises:
        DataError: The arrays do not belong together.
    """
    return weighted_mean(log_losses(target, probs), weights)


def log_losses(target: IntArray, probs: FloatArray) -> FloatArray:
    """Return what each case adds to `log_loss`, float64 (N,); arguments and errors are its own."""
    check_probs(target, probs)
    given = probs[np.arange(len(target)), target]
    return np.asarray(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)))


def ece(target: IntArray, probs: FloatArray, weights: FloatArray | None = None, bins: int = ECE_BINS) -> FloatArray:
    """Return the expected calibration error: the mean gap between confidence and accuracy over bins of confidence.

    Confidence is the highest probability of a case; bins are equally wide and closed above, as in the source. The
    error is never negative and grows with noise: on few cases, and in every resample, it errs upwards.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.
        bins: Number of bins over 0–1.

    Returns:
        float64 (...), 0–1.

    Raises:
        DataError: The arrays do not belong together.

    Source: Guo et al., "On calibration of modern neural networks", 2017, eq. 3.
    """
    check_probs(target, probs)
    weights = np.ones(len(target)) if weights is None else weights
    confidence = probs.max(1)
    gap_in_bin = np.zeros((len(target), bins))
    gap_in_bin[np.arange(len(target)), confidence_bin(confidence, bins)] = (probs.argmax(1) == target) - confidence
    return ratio(np.abs(weights @ gap_in_bin).sum(-1), weights.sum(-1))


def confidence_bin(confidence: FloatArray, bins: int = ECE_BINS) -> IntArray:
    """Return the bin of each confidence: bin m holds (m/bins, (m+1)/bins], and bin 0 also 0.

    Example:
        >>> confidence_bin(np.array([0.0, 0.5, 0.51, 1.0]), bins=2).tolist()
        [0, 0, 1, 1]
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1).astype(np.int64)


def adaptive_ece(target: IntArray, probs: FloatArray, bins: int = ECE_BINS) -> float:
    """Return the calibration error over bins of equally many cases instead of equally wide ones.

    Most cases of a good network are sure ones: equally wide bins then hold a handful each but the last.

    Args:
        target: int64 (N,), class 0..K-1.
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
    """Murphy's decomposition of the Brier score of one class against the rest.

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
        >>> parts = brier_parts(np.array([True, False, False, False]), np.array([0.5, 0.5, 0.0, 0.0]))
        >>> parts.reliability, parts.resolution, parts.uncertainty
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
