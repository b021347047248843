"""Tables that people keep as CSV: any separator, any encoding of spreadsheets, headers in any case."""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from busight.errors import DataError
from busight.io.csv_text import original_text, raw_rows

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""Separators of cells, and what they are called."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of xlsx and ods, and of xls."""

MAX_BYTES = 16 * 1024**2
"""Largest table: some hundred thousand rows. Read, each byte takes up to fifty."""

_UNNAMED = re.compile(r"(Unnamed: \d+(_level_\d+)?)?")
"""Headers of columns without a name, as pandas reads and writes them."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: the number of its last line in the file, and its cells by column, without blanks around them."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as read.

    Attributes:
        columns: Names in the order of the file; known ones as they are known.
        rows: Rows with some text in them.
        notes: What had to be assumed, one line each.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...]


def read_table(path: Path, known: Collection[str], max_bytes: int | None = MAX_BYTES) -> Table:
    """Read a CSV table with a header.

    Cells are separated by comma, semicolon, tab or ``|``, whichever gives the most known columns. UTF-8, UTF-16 and
    UTF-32 are read, else Windows-1252, which is noted. Names that differ from a known one only in case, blanks,
    ``-`` or ``_`` are that one. Columns without a name are left out, noted where they hold more than a running number.

    Args:
        path: The file.
        known: Names of the columns that the caller asks for.
        max_bytes: Largest file; None for any, where the machine is chosen for it.

    Raises:
        DataError: The file cannot be read, is too large, is a workbook or no CSV; two columns of one name; a row of
            more cells than the header.
    """
    text, notes = _text_of(path, max_bytes)
    delimiter = _delimiter(text, known)
    if text[:4].lower() == "sep=":  # the line by which Excel is told the separator
        text = "\n" + text.partition("\n")[2]
    try:
        rows = [row for row in raw_rows(text, delimiter) if any(cell.strip() for cell in row[1])]
        if rows and "," in rows[0][1][0] and all(len(cells) == 1 for _, cells in rows):
            rows = [(line, raw_rows(cells[0])[0][1]) for line, cells in rows]  # each line was saved as one cell
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV table in UTF-8 ({error}); save it as CSV, UTF-8") from error
    if not rows:
        return Table((), (), tuple(notes))
    names = [_known_name(original_text(cell.strip()), known) for cell in rows[0][1]]
    kept = _kept_columns(names, rows[1:], notes)
    if twice := [name for name, count in Counter(names[place] for place in kept).items() if count > 1]:
        raise DataError(f"{path}: has two columns {twice[0]}; keep the one that counts")
    is_header = not known or not set(known).isdisjoint(names)  # else the caller says which columns it needs
    for line, cells in rows[1:]:
        if is_header and any(cell.strip() for cell in cells[len(names) :]):
            raise DataError(
                f"{path}: line {line} has more cells than the header; put cells with {_NAMES[delimiter]} in quotes"
            )
    return Table(
        tuple(names[place] for place in kept),
        tuple(
            TableRow(line, {names[place]: _text(cells[place]) if place < len(cells) else "" for place in kept})
            for line, cells in rows[1:]
        ),
        tuple(notes),
    )


def listed_path(table: Path, cell: str) -> str:
    r"""Return a path of a table, relative to its folder, as this machine writes it.

    A table written on Windows separates folders by a backslash, which elsewhere is a letter of a name: it is one only
    where a file of that very name is there.

    Example:
        >>> listed_path(Path("samples.csv"), r"benign\a.png")
        'benign/a.png'
    """
    if "\\" not in cell or os.path.lexists(table.parent / cell):
        return cell
    return cell.replace("\\", "/")


def number_of(text: str) -> float:
    """Return the number in a cell; a spreadsheet may have written it with a decimal comma.

    Raises:
        ValueError: The text is no number.

    Example:
        >>> number_of("0.1"), number_of("0,1")
        (0.1, 0.1)
    """
    return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)


def whole_number_of(text: str) -> int:
    """Return the whole number in a cell, ``17``, ``17.0`` or ``17,0``.

    Raises:
        ValueError: The text is no whole number.
    """
    number = number_of(text)
    if not number.is_integer():
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def _text_of(path: Path, max_bytes: int | None) -> tuple[str, list[str]]:
    """Return a file's text with its line ends untouched, and a note where its encoding had to be guessed."""
    try:
        if max_bytes is not None and (size := path.stat().st_size) > max_bytes:
            raise DataError(f"{path}: {size} bytes, tables have at most {max_bytes}; split it, or leave columns away")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if content.startswith(_WORKBOOKS):
        raise DataError(f"{path}: a workbook, not a CSV table; save it as CSV, UTF-8")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    start = content[:200]
    if encoding is None and 3 * start.count(b"\0") > len(start):  # UTF-16 without its mark: every other byte is zero
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    try:
        return content.decode(encoding or "utf-8"), []
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise DataError(f"{path}: not a CSV table in UTF-8 ({error}); save it as CSV, UTF-8") from error
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a CSV table in UTF-8 ({error}); save it as CSV, UTF-8") from error
    return text, ["not in UTF-8, read as Windows-1252; if names look wrong, save it as CSV, UTF-8"]


def _delimiter(text: str, known: Collection[str]) -> str:
    """Return the separator that gives the most known columns, then the most columns, of the first line with text."""
    header = next((line for line in re.split(r"[\r\n]+", text) if line.strip()), "")
    if header[:4].lower() == "sep=" and header[4:] in _NAMES:
        return header[4:]

    def fitness(delimiter: str) -> tuple[int, int]:
        names = [_known_name(cell.strip().strip('"'), known) for cell in header.split(delimiter)]
        return len(set(names) & set(known)), len(names)

    return max(_NAMES, key=fitness)


def _text(cell: str) -> str:
    """Return a cell's text without blanks around it, but for those that `csv_text` wrote."""
    text = original_text(cell)
    return cell.strip() if text == cell else text


def _known_name(name: str, known: Collection[str]) -> str:
    """Return a known column's spelling for a name that differs in case, blanks, ``-`` or ``_``; else the name."""
    plain = {_plain(column): column for column in known}
    return name if name in known else plain.get(_plain(name), name)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _kept_columns(names: Sequence[str], rows: Sequence[tuple[int, list[str]]], notes: list[str]) -> list[int]:
    """Return the places of the columns with a name; note those without that hold text."""
    kept = []
    for place, name in enumerate(names):
        if not _UNNAMED.fullmatch(name):
            kept.append(place)
            continue
        cells = [cells[place].strip() for _, cells in rows if len(cells) > place]
        if not all(cell.isdecimal() for cell in cells if cell):  # running numbers are an index
            notes.append(f"column {place + 1} has no name and was ignored; name it, or remove it")
    return kept
