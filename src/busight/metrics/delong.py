"""DeLong's test of two areas under the ROC curve on the same cases, for independent and for clustered cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.checks import check_per_case, check_scores
from busight.types import FloatArray


@dataclass(frozen=True, slots=True)
class DeLongTest:
    """DeLong's test: two AUROCs on the same cases and their difference.

    Attributes:
        first: AUROC of the first score.
        second: AUROC of the second score.
        difference: ``second - first``.
        standard_error: Standard error of the difference; 0 where every case has the same share in it.
        z: ``difference / standard_error``; NaN where the standard error is 0.
        p_value: Two-sided. Where the standard error is 0: 1 if both scores rank every case alike, NaN if they do not
            (a perfect score against a constant one), since no variance can be seen.
        low: Lower end of the interval of the difference; NaN where the p-value is.
        high: Upper end of the interval of the difference; NaN where the p-value is.
        n_groups: Independent groups of the variance.
    """

    first: float
    second: float
    difference: float
    standard_error: float
    z: float
    p_value: float
    low: float
    high: float
    n_groups: int


def delong_test(
    first: FloatArray,
    second: FloatArray,
    positive: NDArray[np.bool_],
    groups: Sequence[str] | Sequence[int] | None = None,
    level: float = 0.95,
) -> DeLongTest:
    """Compare two areas under the ROC curve that were measured on the same cases.

    Args:
        first: float64 (N,), one model's score, higher means more likely positive.
        second: float64 (N,), the other's.
        positive: bool (N,).
        groups: (N,), the group of each case: cases of a group are not independent. None for independent cases.
        level: Coverage of the interval, between 0 and 1.

    Raises:
        DataError: Shapes differ, a score is not finite, fewer than two positive or two negative cases, or (with groups)
            fewer than two groups.

    Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
        characteristic curves", 1988; components by ranks as in Sun and Xu, 2014; for clusters: Obuchowski,
        "Nonparametric analysis of clustered ROC curve data", 1997, eq. 4 to 8.

    Example:
        >>> positive = np.array([True, True, True, False, False, False])
        >>> poor, good = np.array([3.0, 6, 1, 5, 2, 4]), np.array([6.0, 5, 3, 4, 2, 1])
        >>> test = delong_test(poor, good, positive)
        >>> round(test.first, 3), round(test.second, 3), round(test.p_value, 3)
        (0.444, 0.889, 0.074)
    """
    if not 0 < level < 1:
        raise DataError(f"level {level}: the coverage of an interval is above 0 and below 1")
    if first.shape != second.shape:
        raise DataError(f"scores of {first.shape} and {second.shape} cases; compare the same cases")
    areas, covariance, n_groups = auroc_covariance(np.stack([first, second]), positive, groups)
    difference = float(areas[1] - areas[0])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    # Rounding leaves up to about 1e-17 where every case has the same share.
    error = float(np.sqrt(variance)) if variance > 1e-15 else 0.0
    z = difference / error if error else nan
    alike = 1.0 if abs(difference) < 1e-12 else nan
    reach = NormalDist().inv_cdf((1 + level) / 2) * (error if error or alike == 1 else nan)
    return DeLongTest(
        first=float(areas[0]),
        second=float(areas[1]),
        difference=difference,
        standard_error=error,
        z=z,
        p_value=erfc(abs(z) / sqrt(2)) if error else alike,
        low=difference - reach,
        high=difference + reach,
        n_groups=n_groups,
    )


def auroc_covariance(
    scores: FloatArray, positive: NDArray[np.bool_], groups: Sequence[str] | Sequence[int] | None = None
) -> tuple[FloatArray, FloatArray, int]:
    """Return areas under the ROC curve and their covariance.

    Args:
        scores: float64 (S, N): S scores of the same N cases.
        positive: bool (N,).
        groups: (N,), the group of each case; None for independent cases.

    Returns:
        Areas, float64 (S,); covariance, float64 (S, S); the number of independent groups.

    Raises:
        DataError: As `delong_test`.
    """
    for score in scores:
        check_scores(score, positive)
    n_cases, m = len(positive), int(positive.sum())
    n = n_cases - m
    if m < 2 or n < 2:
        raise DataError(f"{m} positive and {n} negative cases; the variance of an AUROC needs at least two of each")
    check_per_case("groups", None if groups is None else np.asarray(groups, dtype=object), n_cases)
    components = np.stack([_components(score, positive) for score in scores])
    areas: FloatArray = components[:, positive].mean(axis=1)
    if groups is None:
        of_positive, of_negative = components[:, positive], components[:, ~positive]
        return areas, np.cov(of_positive) / m + np.cov(of_negative) / n, n_cases
    return areas, *_clustered(components - areas[:, None], positive, np.asarray(groups))


def _components(score: FloatArray, positive: NDArray[np.bool_]) -> FloatArray:
    """Return for each case the share of the opposite cases that it is correctly ranked against, ties half."""
    m, n = int(positive.sum()), int((~positive).sum())
    overall, among = _ranks(score), np.empty(len(score))
    among[positive], among[~positive] = _ranks(score[positive]), _ranks(score[~positive])
    # A case's rank among all less its rank among its own class is the number of opposite cases below it.
    below = overall - among
    shares: FloatArray = np.where(positive, below / n, 1 - below / m)
    return shares


def _ranks(values: FloatArray) -> FloatArray:
    """Return the rank of each value from 1; equal ones share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return np.asarray((ends - (count - 1) / 2)[place], np.float64)


def _clustered(centred: FloatArray, positive: NDArray[np.bool_], groups: NDArray[Any]) -> tuple[FloatArray, int]:
    """Sum the centred components of each group before taking (co)variances over groups."""
    names, group = np.unique(groups, return_inverse=True)
    m, n = int(positive.sum()), int((~positive).sum())
    with_positive, with_negative = len(np.unique(group[positive])), len(np.unique(group[~positive]))
    if with_positive < 2 or with_negative < 2:
        raise DataError("all positive or all negative cases are of one group; a clustered test needs at least two")
    sums = np.stack([_by_group(centred * kind, group, len(names)) for kind in (positive / m, ~positive / n)])
    of_positive, of_negative = sums
    both = len(names) / (len(names) - 1) * (of_positive @ of_negative.T)
    covariance = (
        with_positive / (with_positive - 1) * (of_positive @ of_positive.T)
        + with_negative / (with_negative - 1) * (of_negative @ of_negative.T)
        + both
        + both.T
    )
    return covariance, len(names)


def _by_group(values: FloatArray, group: NDArray[np.int64], n_groups: int) -> FloatArray:
    return np.stack([np.bincount(group, weights=row, minlength=n_groups) for row in values])
