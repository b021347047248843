"""Metrics of probabilities: Brier score, log-loss and expected calibration error."""

from __future__ import annotations

import numpy as np

from busight.metrics.checks import check_probs
from busight.metrics.ratio import ratio, weighted_mean
from busight.types import FloatArray, IntArray

ECE_BINS = 15
"""Bins of Guo et al. 2017, section 2; the metric depends on it, so it is the same everywhere."""


def brier(target: IntArray, probs: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the Brier score: the mean squared distance of the probability vector from the target, summed over classes.

    Brier's own convention, 0–2. For two classes it is twice scikit-learn's binary ``brier_score_loss``.

    Args:
        target: int64 (N,), actual class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...).

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.

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
    """Return the log-loss: the mean negative logarithm (base e) of the target class's probability.

    A probability of 0 is read as 2⁻⁵² (scikit-learn's convention), so that one such case costs 36 and not infinity.

    Args:
        target: int64 (N,), actual class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.

    Returns:
        float64 (...).

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.
    """
    return weighted_mean(log_losses(target, probs), weights)


def log_losses(target: IntArray, probs: FloatArray) -> FloatArray:
    """Return the log-loss of each case, float64 (N,); arguments and errors as of `log_loss`."""
    check_probs(target, probs)
    given = probs[np.arange(len(target)), target]
    return np.asarray(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)))


def ece(target: IntArray, probs: FloatArray, weights: FloatArray | None = None, bins: int = ECE_BINS) -> FloatArray:
    """Return the expected calibration error: the mean gap between confidence and accuracy over bins of confidence.

    Confidence is the highest probability of a case; bins are equally wide and closed above, as in the source. It is
    never negative and grows with noise: on few cases, and in every resample, it is biased upwards.

    Args:
        target: int64 (N,), actual class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        weights: float64 (..., N): how often each case counts; None for once each.
        bins: Number of bins over 0–1.

    Returns:
        float64 (...), 0–1.

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.

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
