"""Paired comparison of two models: difference of every metric with its interval, DeLong's and McNemar's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busight.errors import DataError
from busight.metrics.bootstrap import Statistic, repeated_bootstrap
from busight.metrics.compute import ScoredCases, compute_metrics, metric_measurands
from busight.metrics.delong import DeLongTest, delong_test
from busight.metrics.intervals import of_difference
from busight.metrics.mcnemar import McNemarTest, mcnemar_test
from busight.metrics.table import MetricRows
from busight.types import FloatArray


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of one metric between two models on the same cases.

    Attributes:
        metric: As in a metric table.
        of: As in a metric table.
        first: The first model's value, the mean over repeats; NaN where undefined.
        second: The second model's value.
        value: ``second - first``.
        low: Lower end of its interval; NaN where undefined.
        high: Upper end of its interval; NaN where undefined.
    """

    metric: str
    of: str
    first: float
    second: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paired comparison of two models on the same cases.

    Attributes:
        classes: Class names.
        positive: The positive class; None without one.
        lesion_comparison: Name of the subset of lesion images; None without one.
        n_images: Cases that both were tested on.
        n_groups: Independent groups of these cases, which are resampled.
        repeats: Pairs of repeats that were compared.
        differences: Every metric that both models have.
        delong: For each repeat, DeLong's test for clustered cases of each class's AUROC; None where it is undefined.
        mcnemar: For each repeat, McNemar's test of right and wrong predictions. It takes cases as independent.
        level: Coverage of the intervals.
        resamples: Bootstrap resamples.
        seed: Seed of the resampling.
    """

    classes: tuple[str, ...]
    positive: str | None
    lesion_comparison: str | None
    n_images: int
    n_groups: int
    repeats: int
    differences: MetricRows[Difference]
    delong: tuple[tuple[DeLongTest | None, ...], ...]
    mcnemar: tuple[McNemarTest, ...]
    level: float
    resamples: int
    seed: int


def compare(
    first: Sequence[ScoredCases],
    second: Sequence[ScoredCases],
    groups: Sequence[str] | Sequence[int],
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> Comparison:
    """Compare two models case by case.

    Args:
        first: The first model's cases, one entry for each repeat, all in one order.
        second: The second model's cases, as many repeats, the same cases in the same order.
        groups: (N,), patient or near-duplicate component of each case.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples; each draws groups and, together, pairs of repeats.
        level: Coverage of the intervals, between 0 and 1.

    Raises:
        DataError: The cases are not the same, or there is none.
    """
    _check_same(first, second)
    once = np.ones(len(first[0].target))
    names = [name for name in compute_metrics(first[0], once) if name in compute_metrics(second[0], once)]

    def values_of(cases: ScoredCases, weights: FloatArray) -> FloatArray:
        metrics = compute_metrics(cases, weights)
        return np.stack([metrics[name] for name in names], axis=-1)

    def statistic_of(one: ScoredCases, other: ScoredCases) -> Statistic:
        """Return the differences as a function of weights."""
        return lambda weights: values_of(other, weights) - values_of(one, weights)

    statistics = [statistic_of(one, other) for one, other in zip(first, second, strict=True)]
    of_first, of_second = (np.mean([values_of(cases, once) for cases in of], axis=0) for of in (first, second))
    measurands = metric_measurands(first[0])
    kinds = [of_difference(measurands[name]) for name in names]
    intervals = repeated_bootstrap(statistics, groups, np.random.default_rng(seed), resamples, level, kinds)
    differences = MetricRows(
        Difference(
            *name,
            first=float(of_first[i]),
            second=float(of_second[i]),
            value=float(intervals.value[i]),
            low=float(intervals.low[i]),
            high=float(intervals.high[i]),
        )
        for i, name in enumerate(names)
    )
    pairs = list(zip(first, second, strict=True))
    return Comparison(
        classes=first[0].classes,
        positive=first[0].positive_name,
        lesion_comparison=first[0].lesion_comparison,
        n_images=len(once),
        n_groups=intervals.n_groups,
        repeats=len(pairs),
        differences=differences,
        delong=tuple(_delong(one, other, groups, level) for one, other in pairs),
        mcnemar=tuple(mcnemar_test(a.prediction == a.target, b.prediction == b.target) for a, b in pairs),
        level=level,
        resamples=resamples,
        seed=seed,
    )


def _check_same(first: Sequence[ScoredCases], second: Sequence[ScoredCases]) -> None:
    if not first or len(first) != len(second):
        raise DataError(f"{len(first)} against {len(second)} repeats; compare as many of one as of the other")
    target, classes = first[0].target, first[0].classes
    for cases in (*first, *second):
        if cases.classes != classes or not np.array_equal(cases.target, target):
            raise DataError("the two models were not tested on the same cases with the same labels and classes")


def _delong(
    one: ScoredCases, other: ScoredCases, groups: Sequence[str] | Sequence[int], level: float
) -> tuple[DeLongTest | None, ...]:
    tests: list[DeLongTest | None] = []
    for index in range(len(one.classes)):
        try:
            tests.append(delong_test(one.probs[:, index], other.probs[:, index], one.target == index, groups, level))
        except DataError:
            tests.append(None)  # a class with fewer than two cases or groups has no variance
    return tuple(tests)
