"""The threshold for a wanted sensitivity, chosen on validation cases only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.curves import roc_points
from busight.types import FloatArray


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold with its sensitivity and specificity on the cases that it was chosen on.

    Attributes:
        threshold: A case is called positive at ``score >= threshold``; NaN where undefined.
        sensitivity: On these cases, at least ``wanted``; NaN where undefined.
        specificity: On these cases; NaN where undefined.
        n_positive: Positive cases.
        n_negative: Negative cases.
        wanted: The wanted sensitivity.
    """

    threshold: float
    sensitivity: float
    specificity: float
    n_positive: int
    n_negative: int
    wanted: float


def threshold_for_sensitivity(score: FloatArray, positive: NDArray[np.bool_], wanted: float = 0.95) -> OperatingPoint:
    """Return the highest threshold that reaches the wanted sensitivity.

    Args:
        score: float64 (N,), higher means more likely positive.
        positive: bool (N,).
        wanted: Sensitivity to reach, above 0 and at most 1.

    Returns:
        The threshold with its sensitivity and specificity. Without a positive case threshold and sensitivity are NaN,
        and so is the specificity; without a negative case only the specificity is.

    Raises:
        DataError: ``wanted`` is out of range, there is no case, shapes differ, or a score is not finite.

    Example:
        >>> point = threshold_for_sensitivity(np.array([0.9, 0.6, 0.5, 0.2]), np.array([True, False, True, False]))
        >>> point.threshold, point.sensitivity, point.specificity
        (0.5, 1.0, 0.5)
    """
    if not 0 < wanted <= 1:
        raise DataError(f"wanted sensitivity {wanted}: it is above 0 and at most 1")
    points = roc_points(score, positive)
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0:
        nan = float("nan")
        return OperatingPoint(nan, nan, nan, n_positive, n_negative, wanted)
    first = int(np.argmax(points.sensitivity >= wanted))
    return OperatingPoint(
        float(points.threshold[first]),
        float(points.sensitivity[first]),
        1 - float(points.false_positive_rate[first]),
        n_positive,
        n_negative,
        wanted,
    )
