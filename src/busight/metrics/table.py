"""The metric table: every metric of one model on one set of cases, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar


class NamedByMetric(Protocol):
    """A record with the key (metric, of)."""

    @property
    def metric(self) -> str:
        """The metric, e.g. ``"auroc"``."""

    @property
    def of(self) -> str:
        """A class, an average or a subset of the images, e.g. ``"macro"``."""


RowT = TypeVar("RowT", bound=NamedByMetric)


class MetricRows(tuple[RowT, ...]):
    """Records in order, with lookup by key (metric, of).

    Example:
        >>> rows = MetricRows([MetricEstimate("accuracy", "overall", 0.9, 0.8, 1.0, n=20, n_groups=20)])
        >>> rows.get("accuracy").value, rows.find("auroc", "macro")
        (0.9, None)
    """

    def get(self, metric: str, of: str = "overall") -> RowT:
        """Return the record of a metric.

        Raises:
            KeyError: There is no such record.
        """
        row = self.find(metric, of)
        if row is None:
            raise KeyError(f"no metric {metric!r} of {of!r}")
        return row

    def find(self, metric: str, of: str = "overall") -> RowT | None:
        """Return the record of a metric, or None where there is none."""
        return self._by_name.get((metric, of))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], RowT]:
        return {(row.metric, row.of): row for row in self}


@dataclass(frozen=True, slots=True)
class MetricEstimate:
    """A metric with its confidence interval.

    Attributes:
        metric: ``"accuracy"``, ``"sensitivity"``, ``"auroc"``, ``"dice"`` ...
        of: ``"overall"``, ``"macro"``, ``"weighted"``, a class name, ``"lesion images"`` ...
        value: The metric on all cases; NaN where undefined.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end of the interval; NaN where there is none.
        n: Images that the metric is computed from.
        n_groups: Independent groups of these images; of an AUROC or a macro average, those of the smallest class.
        undefined_resamples: Bootstrap resamples in which the metric was undefined (and which were left out).
    """

    metric: str
    of: str
    value: float
    low: float
    high: float
    n: int
    n_groups: int
    undefined_resamples: int = 0

    def document(self) -> dict[str, object]:
        """Return the metric and its interval as JSON; NaN is null there."""
        names = ("metric", "of", "value", "low", "high", "n", "n_groups")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class MetricTable:
    """Every metric of one model on one set of cases.

    Attributes:
        classes: Class names, in the order of the confusion matrix.
        positive: The positive class, of the metrics at the threshold; None without one.
        lesion_comparison: Name of the subset of lesion images, e.g. ``"malignant vs benign"``; None without one.
        n_images: Cases evaluated.
        n_groups: Independent groups of these cases (patients and near-duplicate components), which are resampled.
        support: Cases per class.
        confusion: Rows target, columns prediction; over repeats of one experiment, their sum.
        rows: The metrics.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """

    classes: tuple[str, ...]
    positive: str | None
    lesion_comparison: str | None
    n_images: int
    n_groups: int
    support: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    rows: MetricRows[MetricEstimate]
    resamples: int
    level: float
    seed: int

    def get(self, metric: str, of: str = "overall") -> MetricEstimate:
        """Return a metric.

        Raises:
            KeyError: The table does not hold it.
        """
        return self.rows.get(metric, of)

    def find(self, metric: str, of: str = "overall") -> MetricEstimate | None:
        """Return a metric, or None where the table does not hold it."""
        return self.rows.find(metric, of)
