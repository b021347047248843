"""Files of a page: its figures as SVG and PNG, its HTML and its PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from busight.io.atomic import write_bytes, write_text, written_beside
from busight.report.blocks.model import Document, FigureFile, FigureGrid
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.html import html_of
from busight.report.render.pdf import pdf_of
from busight.report.render.style import styled

_FIGURE_FOLDER = "figures"


def write_figures(
    specs: Iterable[FigureSpec], folder: Path, progress: Callable[[str], None] = lambda _: None
) -> FigureGrid:
    """Draw figures and write each as SVG and PNG; the same record gives the same bytes.

    Args:
        specs: The figures.
        folder: The folder of the page; it receives ``figures/``.
        progress: Called with the name of each figure.

    Returns:
        The figures as a block of the page.

    Raises:
        OutputError: A file cannot be written.
    """
    files = []
    for spec in specs:
        progress(f"figure {spec.name}")
        with styled():
            figure = spec.draw()
            # Without the date, the only difference between two files of one figure.
            for suffix, metadata in ((".svg", {"Date": None}), (".png", None)):
                with written_beside(folder / _FIGURE_FOLDER / f"{spec.name}{suffix}") as beside:
                    figure.savefig(beside, metadata=metadata)
        shown: Literal["svg", "png"] = "png" if spec.photographic else "svg"
        files.append(FigureFile(spec.name, spec.title, spec.caption, spec.alt, shown, spec.width))
    return FigureGrid(tuple(files))


def write_document(document: Document, folder: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Write ``report.html`` and ``report.pdf`` of a document whose figures are written; return the page's path.

    Raises:
        OutputError: A file cannot be written.
    """
    progress("report.html")
    page = folder / "report.html"
    write_text(page, html_of(document, folder / _FIGURE_FOLDER))
    progress("report.pdf")
    write_bytes(folder / "report.pdf", pdf_of(document, folder))
    return page
