"""Writes one page and its PDF, and the figures that stand on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from busight.io.atomic import write_bytes, write_text, written_beside
from busight.report.blocks.model import Document, Picture
from busight.report.render.html import html_of
from busight.report.render.pdf import pdf_of
from busight.report.render.plate import Plate
from busight.report.render.style import styled

FIGURES = "figures"


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
