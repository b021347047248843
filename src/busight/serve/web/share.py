"""A share with its exact interval."""

from __future__ import annotations

from dataclasses import dataclass

from busight.metrics.proportion import clopper_pearson_interval


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its exact interval; of no case both are None."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval."""
        return clopper_pearson_interval(self.hits, self.total) if self.total else None
