"""Ratios and means that are NaN, without a warning, where they are undefined."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from busight.types import FloatArray


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Return the quotient element by element; a denominator of zero gives NaN.

    Args:
        numerator: Any shape.
        denominator: A shape that broadcasts with it.

    Returns:
        float64 of the broadcast shape.

    Example:
        >>> ratio([1, 0], [4, 0]).tolist()
        [0.25, nan]
    """
    above, below = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def weighted_mean(values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the weighted mean over the cases whose value is defined.

    Args:
        values: float64 (N,); NaN marks a case that does not define the metric.
        weights: float64 (..., N), not negative: how often each case counts; None for once each.

    Returns:
        float64 (...): NaN where the defined cases have no weight.

    Example:
        >>> float(weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([1.0, 2.0, 5.0])))
        3.0
    """
    defined = ~np.isnan(values)
    weights = np.ones(len(values)) if weights is None else weights
    return ratio(weights @ np.where(defined, values, 0.0), weights @ defined.astype(np.float64))
