"""Writing a report: its figures, a page for each example case, the page, then the PDF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from busight.report.catalogue import FIGURES
from busight.report.figures.shrink import shrink_stages
from busight.report.pages.cases import write_case_pages
from busight.report.render.document import document
from busight.report.render.files import write_document, write_figures
from busight.results.records import ModelRecord, ResultRecord


def write_report(record: ResultRecord, folder: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Write ``figures/``, ``report.html``, ``report.pdf`` and a page for each example case below ``cases/``.

    Each file is written whole or not at all.

    Args:
        record: The record of the experiment.
        folder: The folder of the report; made if missing. Files of an earlier report of the same names are replaced.
        progress: Called with the name of each file.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    drawn = _with_small_images(record)
    figures = {family: write_figures(specs_of(drawn), folder, progress) for family, specs_of in FIGURES.items()}
    write_case_pages(record, folder, progress)
    return write_document(document(record, figures), folder, progress)


def _with_small_images(record: ResultRecord) -> ResultRecord:
    if not isinstance(record, ModelRecord):
        return record
    return replace(
        record,
        example_cases=tuple(map(shrink_stages, record.example_cases)),
        more_cases=tuple(map(shrink_stages, record.more_cases)),
    )
