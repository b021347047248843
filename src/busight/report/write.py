"""Writes a report: every figure, then the page, then the PDF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from busight.files import write_bytes, write_text, written_beside
from busight.pipeline.record import RunRecord
from busight.report.blocks import Document, Gallery, Picture
from busight.report.catalogue import FAMILIES
from busight.report.document import document
from busight.report.html import html_of
from busight.report.pdf import pdf_of
from busight.report.plate import Plate
from busight.report.shrink import shrunk
from busight.report.style import styled

FIGURES = "figures"


def write_report(record: RunRecord, folder: Path, progress: Callable[[str], None] | None = None) -> Path:
    """Write ``figures/*.svg``, ``figures/*.png``, ``report.html`` and ``report.pdf``, each whole or not at all.

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
    galleries = {family: Gallery(tuple(map(picture_of, of_family))) for family, of_family in plates.items()}
    return write_document(document(record, galleries), folder, tell)


def write_document(told: Document, folder: Path, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Write ``report.html`` and ``report.pdf`` of a document whose figures are drawn; return the page's path.

    Raises:
        OutputError: A file cannot be written.
    """
    tell("report.html")
    page = folder / "report.html"
    write_text(page, html_of(told, folder / FIGURES))
    tell("report.pdf")
    write_bytes(folder / "report.pdf", pdf_of(told, folder))
    return page


def picture_of(plate: Plate) -> Picture:
    """Return how pages show a figure."""
    shown: Literal["svg", "png"] = "png" if plate.photographic else "svg"
    return Picture(plate.name, plate.title, plate.reading, plate.alt, shown, plate.width)


def write_plate(plate: Plate, folder: Path) -> None:
    """Draw one figure and write it as SVG and PNG; the same record gives the same bytes."""
    with styled():
        figure = plate.draw()
        # Without the date, which is the only thing that would differ between two drawings.
        for suffix, metadata in ((".svg", {"Date": None}), (".png", None)):
            with written_beside(folder / f"{plate.name}{suffix}") as beside:
                figure.savefig(beside, metadata=metadata)
