"""Blocks of a report before it becomes HTML or PDF: sections of plain text, tables and figures, for both renderers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of text; ``"warning"`` sets it apart."""

    text: str
    tone: Literal["plain", "warning", "note"] = "plain"
    kind: Literal["paragraph"] = field(default="paragraph", init=False)


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: Literal["bullets"] = field(default="bullets", init=False)


@dataclass(frozen=True, slots=True)
class Links:
    """(text, address) of other pages; addresses are relative to this page."""

    items: tuple[tuple[str, str], ...]
    kind: Literal["links"] = field(default="links", init=False)


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Names and values, such as digests and versions. ``mono`` sets the values in a fixed-width face."""

    pairs: tuple[tuple[str, str], ...]
    mono: bool = False
    kind: Literal["key_values"] = field(default="key_values", init=False)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header.

    Attributes:
        caption: A sentence above the table.
        header: Column names.
        rows: Cells as text, as many as there are columns.
        numeric: Indices of columns to be aligned to the right.
        folded: True for long lists: closed at first in HTML, shortened in PDF.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    folded: bool = False
    kind: Literal["table"] = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """Verbatim text: a recipe, a command."""

    text: str
    kind: Literal["listing"] = field(default="listing", init=False)


@dataclass(frozen=True, slots=True)
class KPI:
    """A key performance indicator: one headline number."""

    label: str
    value: str
    interval: str
    note: str


@dataclass(frozen=True, slots=True)
class KPIs:
    """Headline numbers, side by side."""

    items: tuple[KPI, ...]
    kind: Literal["kpis"] = field(default="kpis", init=False)


@dataclass(frozen=True, slots=True)
class FigureFile:
    """A drawn figure: files ``figures/<name>.svg`` and ``.png``. ``shown`` is the one that pages use."""

    name: str
    title: str
    caption: str
    alt: str
    shown: Literal["svg", "png"]
    width: Literal["half", "full"]


@dataclass(frozen=True, slots=True)
class FigureGrid:
    """Figures in order; two of half width may share a row."""

    figures: tuple[FigureFile, ...]
    kind: Literal["figure_grid"] = field(default="figure_grid", init=False)


Block = Paragraph | Bullets | Links | KeyValues | Table | Listing | KPIs | FigureGrid


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter. ``anchor`` is its fixed address within the page."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report."""

    title: str
    subtitle: str
    started: str
    sections: tuple[Section, ...]
