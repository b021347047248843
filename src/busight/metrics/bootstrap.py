"""Intervals by resampling groups: images of one patient, and near-duplicates, are one observation and not many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from busight.errors import DataError
from busight.metrics.ratio import ratio
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
        low: float64 (S,), lower ends; NaN where undefined.
        high: float64 (S,), upper ends; NaN where undefined.
        mean: float64 (S,), over the resamples in which the metric was defined; NaN where there is none.
        undefined: int64 (S,), resamples in which the metric was undefined, left out of its interval.
        n_groups: Groups that were resampled.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    undefined: IntArray
    n_groups: int


def clustered_bootstrap(
    statistic: Statistic,
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Intervals:
    """Compute percentile intervals of metrics by drawing whole groups with replacement.

    A resample is represented by a weight for each case, the number of times its group was drawn.

    Known limits: with fewer than about ten groups the interval is too narrow, and a metric at the end of its range (20
    of 20 detected) has an interval without width, since no resample can contain an error that the data do not.

    Args:
        statistic: The metrics as a function of weights.
        groups: (N,), the group of each case. The order of the cases does not matter to the draws.
        rng: Source of the draws.
        resamples: R, how often to draw.
        level: Coverage, between 0 and 1.

    Returns:
        The metrics on all cases with their intervals. With a single group the intervals are NaN and every resample
        counts as undefined.

    Raises:
        DataError: There is no case, ``resamples`` is below 1, or ``level`` is not between 0 and 1.

    Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3; for clusters: Davison and
        Hinkley, "Bootstrap methods and their application", 1997, section 3.8 (strategy 1).

    Example:
        >>> answers = np.array([1.0, 1.0, 0.0, 1.0])
        >>> share = lambda weights: (weights @ answers / weights.sum(1))[:, None]
        >>> intervals = clustered_bootstrap(share, ["p1", "p1", "p2", "p3"], np.random.default_rng(0))
        >>> intervals.value.tolist(), intervals.low.tolist(), intervals.high.tolist()
        ([0.75], [0.0], [1.0])
    """
    return repeated_bootstrap([statistic], groups, rng, resamples, level)


def repeated_bootstrap(
    statistics: Sequence[Statistic],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Intervals:
    """Compute percentile intervals of the mean of metrics over repeats of one experiment on the same cases.

    Each resample draws whole groups and, with them, repeats (other folds, other seeds) with replacement, so that an
    interval covers both the sampling of patients and the randomness of training. With few repeats the second part is
    underestimated.

    Args:
        statistics: The metrics of each repeat as a function of weights; all over the same N cases.
        groups: (N,), the group of each case.
        rng: Source of the draws.
        resamples: R, how often to draw.
        level: Coverage, between 0 and 1.

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
    if len(names) == 1:
        unknown = np.full(value.shape, np.nan)
        return Intervals(value, unknown, unknown, unknown, np.full(value.shape, resamples, np.int64), 1)
    at_once = max(1, _PAIRS_AT_ONCE // len(group_of_case))
    drawn = np.concatenate(
        [
            _draw(statistics, len(names), group_of_case, min(at_once, resamples - done), rng)
            for done in range(0, resamples, at_once)
        ]
    )
    low, high = _percentiles(drawn, level)
    defined = ~np.isnan(drawn)
    mean = ratio(np.where(defined, drawn, 0.0).sum(0), defined.sum(0))
    return Intervals(value, low, high, mean, (~defined).sum(0), len(names))


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


def _percentiles(drawn: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    ends = np.full((2, drawn.shape[1]), np.nan)
    for index, column in enumerate(drawn.T):
        defined = column[~np.isnan(column)]
        if defined.size:
            ends[:, index] = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return ends[0], ends[1]
