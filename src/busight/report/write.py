"""Writes a report: every figure, a page for each case shown, then the page, then the PDF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from busight.report.blocks.model import Gallery
from busight.report.catalogue import FAMILIES
from busight.report.figures.shrink import shrunk
from busight.report.pages.cases import write_case_pages
from busight.report.pages.run import FIGURES, picture_of, write_document, write_plate
from busight.report.render.document import document
from busight.results.run_record import RunRecord


def write_report(record: RunRecord, folder: Path, progress: Callable[[str], None] | None = None) -> Path:
    """Write ``figures/``, ``report.html``, ``report.pdf`` and a page for each walk's case below ``cases/``.

    Each file is written whole or not at all.

    Args:
        record: What the run left.
        folder: Where to; made if missing. Files of an earlier report of the same names are replaced.
        progress: Told in a few words what comes next.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    tell = progress or (lambda _: None)
    small = replace(record, walks=tuple(map(shrunk, record.walks)), gallery=tuple(map(shrunk, record.gallery)))
    plates = {family: make(small) for family, make in FAMILIES.items()}
    for plate in (plate for of_family in plates.values() for plate in of_family):
        tell(f"figure {plate.name}")
        write_plate(plate, folder / FIGURES)
    write_case_pages(record, folder, tell)
    galleries = {family: Gallery(tuple(map(picture_of, of_family))) for family, of_family in plates.items()}
    return write_document(document(record, galleries), folder, tell)
