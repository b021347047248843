"""The document of a record: all sections of its report."""

from __future__ import annotations

from collections.abc import Callable

from busight.report.blocks import (
    clinical_use,
    data,
    folds,
    images,
    metrics,
    paper,
    provenance,
    subgroups,
    summary,
    training,
)
from busight.report.blocks.model import Document, FigureGrid, Section
from busight.results.records import CrossValidationRecord, EvaluationRecord, ResultRecord, TrainingRunRecord

SECTIONS: tuple[Callable[[ResultRecord, dict[str, FigureGrid]], Section | None], ...] = (
    summary.section,
    data.section,
    data.split_section,
    training.section,
    metrics.section,
    clinical_use.section,
    subgroups.section,
    folds.section,
    images.section,
    paper.section,
    provenance.limitations_section,
    provenance.recipe_section,
    provenance.provenance_section,
)
"""In the order of the report; one that does not apply to a record returns None."""

_TITLES: dict[type[ResultRecord], str] = {
    TrainingRunRecord: "Training and evaluation",
    EvaluationRecord: "Evaluation of a bundle",
    CrossValidationRecord: "Cross-validation",
}


def document(record: ResultRecord, figures: dict[str, FigureGrid]) -> Document:
    """Return the report of a record as plain blocks.

    Args:
        record: The record of the experiment.
        figures: Its figures by family (see `busight.report.catalogue.FIGURES`).
    """
    sections = (section_of(record, figures) for section_of in SECTIONS)
    return Document(
        title=f"{_TITLES[type(record)]}: {record.title}",
        subtitle=f"{record.network} Data: {record.data.spec}.",
        started=record.started,
        sections=tuple(section for section in sections if section),
    )
