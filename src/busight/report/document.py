"""Puts the sections of a report together from a run record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from busight.pipeline.record import RunRecord
from busight.report.blocks import Document, Gallery, Picture, Section
from busight.report.plate import Plate
from busight.report.sections import data, folds, paper, pictures, provenance, scores, summary, training

RESEARCH_ONLY = "Research use only"
"""Stands on every page."""

SECTIONS: tuple[Callable[[RunRecord, dict[str, Gallery]], Section | None], ...] = (
    summary.section,
    data.section,
    data.split_section,
    training.section,
    scores.section,
    folds.section,
    pictures.section,
    paper.section,
    provenance.limits_section,
    provenance.recipe_section,
    provenance.provenance_section,
)
"""In the order of the report; one that has nothing to say for a record returns None."""


_KINDS = {"run": "Training and assessment", "evaluate": "External assessment", "crossval": "Cross-validation"}


def document(record: RunRecord, plates: dict[str, list[Plate]]) -> Document:
    """Return the report of a run as plain blocks.

    Args:
        record: What the run left.
        plates: The figures by family (see ``catalogue.FAMILIES``).
    """
    galleries = {family: Gallery(tuple(map(_picture, of_family))) for family, of_family in plates.items()}
    made = (make(record, galleries) for make in SECTIONS)
    return Document(
        title=f"{_KINDS[record.kind]}: {record.title}",
        subtitle=f"{record.network} Data: {record.data.spec}.",
        started=record.started,
        sections=tuple(section for section in made if section),
    )


def _picture(plate: Plate) -> Picture:
    shown: Literal["svg", "png"] = "png" if plate.photographic else "svg"
    return Picture(plate.name, plate.title, plate.reading, plate.alt, shown, plate.width)
