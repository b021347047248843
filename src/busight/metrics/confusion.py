"""The confusion matrix, for one set of cases or for many resamples of it at once."""

from __future__ import annotations

import numpy as np

from busight.metrics.checks import check_target
from busight.types import FloatArray, IntArray


def confusion_matrix(
    target: IntArray, predicted: IntArray, n_classes: int, weights: FloatArray | None = None
) -> FloatArray:
    """Return the confusion matrix.

    Args:
        target: int64 (N,), class 0..K-1.
        predicted: int64 (N,), predicted class 0..K-1.
        n_classes: K.
        weights: float64 (..., N): how often each case counts; None for once each. Whole weights give whole counts,
            exactly, which is how thousands of bootstrap resamples become one matrix product.

    Returns:
        float64 (..., K, K), rows target, columns prediction.

    Raises:
        DataError: There is no case, lengths differ, or an index is outside 0..K-1.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    check_target(target, len(predicted), n_classes)
    check_target(predicted, len(target), n_classes)
    weights = np.ones(len(target)) if weights is None else weights
    in_cell = np.zeros((len(target), n_classes * n_classes))
    in_cell[np.arange(len(target)), target * n_classes + predicted] = 1.0
    return np.asarray((weights @ in_cell).reshape(*weights.shape[:-1], n_classes, n_classes))
