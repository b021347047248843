"""CSV text that is read back unchanged."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV that is read back unchanged, with any text in a cell.

    `csv.writer` leaves a carriage return unquoted when lines end in a line feed, and then cannot read its own line.
    """
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in cell for cell in row if isinstance(cell, str)) else plain).writerow(row)
    return text.getvalue()


def csv_number(value: float) -> str:
    """Return a number with full precision, NaN as an empty cell.

    Example:
        >>> csv_number(0.1), csv_number(float("nan"))
        ('0.1', '')
    """
    return "" if value != value else repr(value)
