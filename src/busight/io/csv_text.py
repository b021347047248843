"""CSV text that is read back unchanged and holds no formula for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNSAFE = re.compile(r"'*[\s=+\-@＝＋－＠]|.*\s\Z", re.DOTALL)
"""Beginnings of a formula, and blanks at the ends, which readers of tables strip; quotes in front change nothing."""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV that is read back unchanged by `csv_rows`, with any text in a cell.

    A spreadsheet calculates a text that begins with ``= + - @``, a tab or a line break. Such a text is written behind
    a ``'``; a number is not.

    Example:
        >>> csv_text([["=HYPERLINK(1).png", "-0.5", 0.1]])
        "'=HYPERLINK(1).png,-0.5,0.1\\n"

    Source:
        OWASP: CSV Injection.
    """
    # `csv.writer` leaves a carriage return unquoted when lines end in a line feed, and then cannot read its own line.
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [_safe(cell) if isinstance(cell, str) else cell for cell in row]
        (quoted if any("\r" in cell for cell in cells if isinstance(cell, str)) else plain).writerow(cells)
    return text.getvalue()


def csv_rows(text: str) -> list[list[str]]:
    """Return the rows of CSV text as `csv_text` was given them, each cell a text.

    Raises:
        csv.Error: Quotes do not fit, or a cell is longer than the module `csv` reads.
    """
    return [[original_text(cell) for cell in row] for _, row in raw_rows(text)]


def raw_rows(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """Return the rows of CSV text, each with the number of its last line, as they are written in it.

    Args:
        text: CSV with its line ends untouched; lines without any character are left out.
        delimiter: What separates cells.

    Raises:
        csv.Error: As for `csv_rows`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [(reader.line_num, row) for row in reader if row]


def csv_number(value: float) -> str:
    """Return a number with full precision, NaN as an empty cell.

    Example:
        >>> csv_number(0.1), csv_number(float("nan"))
        ('0.1', '')
    """
    return "" if value != value else repr(value)


def original_text(cell: str) -> str:
    """Return the text of a cell without the ``'`` that `csv_text` put before it.

    Example:
        >>> original_text("'=1+1"), original_text("'tis"), original_text("-0.5")
        ('=1+1', "'tis", '-0.5')
    """
    return cell[1:] if cell.startswith("'") and _UNSAFE.match(cell, 1) else cell


def _safe(cell: str) -> str:
    return f"'{cell}" if _UNSAFE.match(cell) and not _NUMBER.fullmatch(cell) else cell
