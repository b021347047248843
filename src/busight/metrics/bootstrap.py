"""Intervals by resampling groups: images of one patient, and near-duplicates, are one observation and not many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from busight.errors import DataError
from busight.metrics.intervals import MIN_GROUPS, Independence, Measurand, confidence_interval, independence
from busight.types import FloatArray, IntArray

Statistic = Callable[[FloatArray], FloatArray]
"""From weights, float64 (R, N), to metrics, float64 (R, S): S metrics in each of R resamples of N cases."""

# Weights of this many resample × case pairs are held at once (16 MB), however large the data set is.
_PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Metrics with their intervals.

    Attributes:
        value: float64 (S,), on all cases.
        low: float64 (S,), lower ends; NaN where there is no interval.
        high: float64 (S,), upper ends; NaN where there is no interval.
        undefined: int64 (S,), resamples in which the metric was undefined, left out of its interval.
        observed: S entries, the cases and groups of each metric.
        n_groups: Groups that were resampled.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    undefined: IntArray
    observed: tuple[Independence, ...]
    n_groups: int


def clustered_bootstrap(
    statistic: Statistic,
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
    measurands: Sequence[Measurand] | None = None,
) -> Intervals:
    """Compute intervals of metrics by drawing whole groups with replacement.

    A resample is represented by a weight for each case, the number of times its group was drawn. How an interval
    follows from the resamples is told by `busight.metrics.intervals.confidence_interval`.

    Args:
        statistic: The metrics as a function of weights.
        groups: (N,), the group of each case. The order of the cases does not matter to the draws.
        rng: Source of the draws.
        resamples: R, how often to draw.
        level: Coverage, between 0 and 1.
        measurands: S entries, what each metric measures; None for means without bounds over all cases.

    Returns:
        The metrics on all cases with their intervals. With fewer than `MIN_GROUPS` groups no metric has one.

    Raises:
        DataError: There is no case, ``resamples`` is below 1, or ``level`` is not between 0 and 1.

    Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3; for clusters: Davison and
        Hinkley, "Bootstrap methods and their application", 1997, section 3.8 (strategy 1).

    Example:
        >>> answers = np.array([1.0] * 11 + [0.0])
        >>> share = lambda weights: (weights @ answers / weights.sum(1))[:, None]
        >>> rng, groups = np.random.default_rng(0), list(range(12))
        >>> intervals = clustered_bootstrap(share, groups, rng, measurands=[Measurand("proportion", 0, 1)])
        >>> intervals.value.round(3).tolist(), intervals.low.round(2).tolist(), intervals.high.round(2).tolist()
        ([0.917], [0.6], [1.0])
    """
    return repeated_bootstrap([statistic], groups, rng, resamples, level, measurands)


def repeated_bootstrap(
    statistics: Sequence[Statistic],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
    measurands: Sequence[Measurand] | None = None,
) -> Intervals:
    """Compute intervals of the mean of metrics over repeats of one experiment on the same cases.

    Each resample draws whole groups and, with them, repeats (other folds, other seeds) with replacement, so that an
    interval covers both the sampling of patients and the randomness of training. With few repeats the second part is
    underestimated.

    Args:
        statistics: The metrics of each repeat as a function of weights; all over the same N cases.
        groups: (N,), the group of each case.
        rng: Source of the draws.
        resamples: R, how often to draw.
        level: Coverage, between 0 and 1.
        measurands: As in `clustered_bootstrap`.

    Returns:
        The means over the repeats on all cases with their intervals. A mean is undefined where a repeat's metric is.

    Raises:
        DataError: There is no case or no repeat, or ``resamples`` or ``level`` is out of range.

    Source: as `clustered_bootstrap`; groups and repeats are crossed factors, each resampled (Owen, "The pigeonhole
        bootstrap", 2007).
    """
    if resamples < 1 or not 0 < level < 1:
        raise DataError(f"{resamples} resamples at level {level}; give at least 1, and a level between 0 and 1")
    names, group_of_case = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) == 0 or not statistics:
        raise DataError("no cases to resample; hand over the group of each case, and at least one repeat")
    once = np.ones((1, len(group_of_case)))
    value: FloatArray = np.mean([statistic(once)[0] for statistic in statistics], axis=0)
    kinds = measurands or [Measurand()] * len(value)
    observed = tuple(independence(measurand, group_of_case) for measurand in kinds)
    if len(names) < MIN_GROUPS:
        unknown = np.full(value.shape, np.nan)
        return Intervals(value, unknown, unknown, np.zeros(value.shape, np.int64), observed, len(names))
    at_once = max(1, _PAIRS_AT_ONCE // len(group_of_case))
    drawn = np.concatenate(
        [
            _draw(statistics, len(names), group_of_case, min(at_once, resamples - done), rng)
            for done in range(0, resamples, at_once)
        ]
    )
    ends = [
        confidence_interval(float(value[index]), drawn[:, index], measurand, observed[index], level)
        for index, measurand in enumerate(kinds)
    ]
    low, high = np.array(ends, np.float64).reshape(-1, 2).T
    return Intervals(value, low, high, np.isnan(drawn).sum(0), observed, len(names))


def _draw(
    statistics: Sequence[Statistic], n_groups: int, group_of_case: IntArray, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Return metrics of some resamples, float64 (resamples, S)."""
    weights = draw_group_counts(n_groups, resamples, rng)[:, group_of_case]
    values = np.stack([statistic(weights) for statistic in statistics])
    if len(statistics) == 1:
        return np.asarray(values[0])
    chosen = rng.integers(len(statistics), size=(len(statistics), resamples))
    mean: FloatArray = values[chosen, np.arange(resamples)].mean(axis=0)
    return mean


def draw_group_counts(n_groups: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Draw groups with replacement, as many as there are; return the count of each, float64 (resamples, n_groups)."""
    drawn = rng.integers(n_groups, size=(resamples, n_groups))
    drawn += np.arange(resamples)[:, None] * n_groups
    counts = np.bincount(drawn.ravel(), minlength=resamples * n_groups)
    return counts.reshape(resamples, n_groups).astype(np.float64)
