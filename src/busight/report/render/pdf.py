"""PDF renderer: a report set by Typst, without network, packages or system fonts of its own choosing."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from busight.errors import OutputError
from busight.report.blocks.model import Document
from busight.report.text.sanitise import printable

LONGEST_TABLE = 40
"""Rows of a folded table that are printed; the HTML page has all of them."""


def pdf_of(document: Document, folder: Path) -> bytes:
    """Return the PDF.

    Args:
        document: The report. It reaches Typst as JSON, as data: nothing in it can be read as markup or code.
        folder: The folder that holds ``figures/``; Typst may read nothing outside it.

    Raises:
        OutputError: Typst refused the document.
    """
    template = files("busight.report").joinpath("templates/report.typ").read_bytes()
    data = json.dumps(_printable(_shortened(asdict(document))), ensure_ascii=False)
    try:
        compiler = typst.Compiler(template, root=folder, sys_inputs={"data": data})
        pdf = compiler.compile(format="pdf", timestamp=_time(document.started))
    except typst.TypstError as error:
        raise OutputError(
            f"{folder / 'report.pdf'}: Typst could not set it ({error}); report.html has the same"
        ) from error
    if not isinstance(pdf, bytes):
        raise OutputError(f"{folder / 'report.pdf'}: Typst set nothing; report.html has the same")
    return pdf


def _time(started: str) -> datetime:
    """Return the start of the run as the PDF's date, so that the same record gives the same bytes."""
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Cut folded tables, and note it in their captions."""
    for section in document["sections"]:
        for block in section["blocks"]:
            if block["kind"] == "table" and block["folded"] and len(block["rows"]) > LONGEST_TABLE:
                block["caption"] += f" — the first {LONGEST_TABLE} of {len(block['rows'])}; report.html lists all"
                block["rows"] = block["rows"][:LONGEST_TABLE]
    return document


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value
