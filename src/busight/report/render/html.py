"""HTML renderer: a report as one self-contained page, figures and style included."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from busight.report.blocks.model import Document, FigureFile
from busight.report.text.sanitise import printable

_MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def html_of(document: Document, figures: Path) -> str:
    """Return the page.

    Args:
        document: The report.
        figures: The folder with the figures' SVG and PNG files.
    """
    environment = Environment(
        loader=PackageLoader("busight.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    page = environment.get_template("report.html.j2")
    return page.render(document=document, data_uri=lambda figure: data_uri(figure, figures))


def data_uri(figure: FigureFile, folder: Path) -> str:
    """Return a figure as a ``data:`` address: no request, and its ids cannot clash with those of other figures."""
    content = (folder / f"{figure.name}.{figure.shown}").read_bytes()
    return f"data:{_MEDIA_TYPES[figure.shown]};base64,{base64.b64encode(content).decode()}"


def _printable(value: Any) -> Any:
    return printable(value) if type(value) is str else value
