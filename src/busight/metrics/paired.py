"""Two models on the same cases: every figure's difference with its interval, and the tests that readers know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busight.errors import DataError
from busight.metrics.bootstrap import Statistic, repeated_bootstrap
from busight.metrics.compute import ScoredCases, figures
from busight.metrics.delong import DeLongTest, delong_test
from busight.metrics.mcnemar import McNemarTest, mcnemar_test
from busight.types import FloatArray


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two models on the same cases.

    Attributes:
        metric: As in a score sheet.
        of: As in a score sheet.
        first: The first model's figure, the mean over repeats; NaN where undefined.
        second: The second model's.
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
    """Two models on the same cases.

    Attributes:
        classes: Class names.
        n_images: Cases that both were tested on.
        n_groups: Independent groups among them: what was resampled.
        repeats: Pairs of repeats that were compared.
        differences: Every figure that both have.
        delong: For each repeat, DeLong's test for clustered cases of each class's AUROC; None where it is undefined.
        mcnemar: For each repeat, McNemar's test of right and wrong calls. It takes cases as independent.
        level: Coverage of the intervals.
        resamples: Bootstrap resamples.
        seed: Seed of the resampling.
    """

    classes: tuple[str, ...]
    n_images: int
    n_groups: int
    repeats: int
    differences: tuple[Difference, ...]
    delong: tuple[tuple[DeLongTest | None, ...], ...]
    mcnemar: tuple[McNemarTest, ...]
    level: float
    resamples: int
    seed: int

    def get(self, metric: str, of: str = "overall") -> Difference:
        """Return one difference.

        Raises:
            KeyError: The models do not both have this figure.
        """
        for difference in self.differences:
            if (difference.metric, difference.of) == (metric, of):
                return difference
        raise KeyError((metric, of))


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
    names = [name for name in figures(first[0], once) if name in figures(second[0], once)]
    n = len(names)

    def statistic_of(one: ScoredCases, other: ScoredCases) -> Statistic:
        """Return the figures of both models and their differences as one function of weights."""

        def both(weights: FloatArray) -> FloatArray:
            a, b = (figures(cases, weights) for cases in (one, other))
            own = [np.stack([found[name] for name in names], axis=-1) for found in (a, b)]
            return np.concatenate([*own, own[1] - own[0]], axis=-1)

        return both

    statistics = [statistic_of(one, other) for one, other in zip(first, second, strict=True)]
    found = repeated_bootstrap(statistics, groups, np.random.default_rng(seed), resamples, level)
    differences = tuple(
        Difference(
            *name,
            first=float(found.value[i]),
            second=float(found.value[n + i]),
            value=float(found.value[2 * n + i]),
            low=float(found.low[2 * n + i]),
            high=float(found.high[2 * n + i]),
        )
        for i, name in enumerate(names)
    )
    pairs = list(zip(first, second, strict=True))
    return Comparison(
        classes=first[0].classes,
        n_images=len(once),
        n_groups=found.n_groups,
        repeats=len(pairs),
        differences=differences,
        delong=tuple(_delong(one, other, groups, level) for one, other in pairs),
        mcnemar=tuple(mcnemar_test(a.predicted == a.target, b.predicted == b.target) for a, b in pairs),
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
