"""Puts the sections of a report together from a run record."""

from __future__ import annotations

from collections.abc import Callable

from busight.report.blocks import acting, data, folds, paper, pictures, provenance, scores, subgroups, summary, training
from busight.report.blocks.model import Document, Gallery, Section
from busight.results.run_record import RunRecord

SECTIONS: tuple[Callable[[RunRecord, dict[str, Gallery]], Section | None], ...] = (
    summary.section,
    data.section,
    data.split_section,
    training.section,
    scores.section,
    acting.section,
    subgroups.section,
    folds.section,
    pictures.section,
    paper.section,
    provenance.limits_section,
    provenance.recipe_section,
    provenance.provenance_section,
)
"""In the order of the report; one that has nothing to say for a record returns None."""


_KINDS = {"run": "Training and assessment", "evaluate": "Assessment of a bundle", "crossval": "Cross-validation"}


def document(record: RunRecord, galleries: dict[str, Gallery]) -> Document:
    """Return the report of a run as plain blocks.

    Args:
        record: What the run left.
        galleries: The figures by family (see ``catalogue.FAMILIES``).
    """
    made = (make(record, galleries) for make in SECTIONS)
    return Document(
        title=f"{_KINDS[record.kind]}: {record.title}",
        subtitle=f"{record.network} Data: {record.data.spec}.",
        started=record.started,
        sections=tuple(section for section in made if section),
    )
