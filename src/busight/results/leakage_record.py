"""The record of a leakage study: one recipe under several evaluation protocols."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from busight._version import __version__
from busight.metrics.paired import Difference
from busight.metrics.table import MetricRows, MetricTable
from busight.results.records import ExperimentRecord


@dataclass(frozen=True, slots=True)
class ProtocolResult:
    """One evaluation protocol and its metrics.

    Attributes:
        name: ``image``, ``group``, ``without_label_conflicts`` or ``external``.
        description: The protocol in a few words.
        data: The test data.
        metrics: Means over repeats (for ``external``: over the networks of the folds).
        difference_to_grouped: Differences to the grouped folds on the images that both tested; empty for ``group``
            itself and for ``external``, which shares no image with it.
    """

    name: str
    description: str
    data: str
    metrics: MetricTable
    difference_to_grouped: MetricRows[Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageRecord(ExperimentRecord):
    """The record of a leakage study: the content of the page, the figure and ``leakage.json``.

    Attributes:
        folds: Folds of each cross-validation.
        repeats: Repeats of each cross-validation.
        protocols: The protocols, from the most optimistic to the strictest.
    """

    folds: int
    repeats: int
    protocols: tuple[ProtocolResult, ...]

    def document(self) -> dict[str, Any]:
        """Return the content of ``leakage.json``; NaN is null there."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}
