"""Mahalanobis distance with a shrunk covariance estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Mean and covariance of vectors.

    Attributes:
        mean: float64 (D,).
        deviation: Standard deviations, float64 (D,), above 0.
        precision: Inverse covariance of the standardised vectors, float64 (D, D).
    """

    mean: FloatArray
    deviation: FloatArray
    precision: FloatArray

    def distance(self, vectors: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance, float64 (N,), of vectors, float64 (N, D)."""
        away = (vectors - self.mean) / self.deviation
        squared = np.einsum("ni,ij,nj->n", away, self.precision, away)
        return np.asarray(np.sqrt(np.maximum(squared, 0)))


def fit_gaussian(vectors: FloatArray) -> Gaussian:
    """Estimate mean and covariance; the covariance is shrunk, so that it is always invertible.

    Args:
        vectors: float64 (N, D), N at least 2.

    Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
        Multivariate Analysis 88 (2004).
    """
    from sklearn.covariance import LedoitWolf

    mean, deviation = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
    precision = LedoitWolf().fit((vectors - mean) / deviation).precision_
    return Gaussian(mean, deviation, np.asarray(precision, np.float64))
