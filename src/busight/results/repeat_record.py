"""The record of a repeated experiment: one recipe with several seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from busight._version import __version__
from busight.metrics.repeats import SeedSpread
from busight.metrics.table import MetricRows
from busight.results.records import ExperimentRecord


@dataclass(frozen=True, slots=True)
class RepeatedMetric:
    """One metric over the seeds.

    Attributes:
        metric: As in a metric table.
        of: As in a metric table.
        spread: Its spread over the seeds.
        values: Its value for each seed; NaN where undefined.
        single_low: Mean over the seeds of the lower end of one seed's own interval.
        single_high: Mean over the seeds of the upper end.
    """

    metric: str
    of: str
    spread: SeedSpread
    values: tuple[float, ...]
    single_low: float
    single_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRecord(ExperimentRecord):
    """The record of a repeated hold-out: the content of ``repeat.json``.

    Attributes:
        seeds: The seeds that were added to the recipe's own.
        n_train: Training images of a seed, on average.
        n_test: Test images of a seed, on average.
        leaking_pairs: Near-duplicate pairs across two subsets of a split, on average.
        positive: The positive class; None without one.
        lesion_comparison: Name of the subset of lesion images; None without one.
        metrics: Every metric.
    """

    seeds: tuple[int, ...]
    n_train: float
    n_test: float
    leaking_pairs: float
    positive: str | None
    lesion_comparison: str | None
    metrics: MetricRows[RepeatedMetric]

    def document(self) -> dict[str, Any]:
        """Return the content of ``repeat.json``; NaN is null there."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}
