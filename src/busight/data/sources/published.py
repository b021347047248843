"""What the sources with an official layout share: their folder, their files, their table, BI-RADS."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from busight.data.readers.listing import has_image_suffix, is_hidden, left_out
from busight.data.readers.source import DAMAGE
from busight.data.sources.folder import natural_order
from busight.data.table_values import birads_category, birads_subcategory
from busight.errors import DataError, MissingExtraError
from busight.io.csv_table import read_table
from busight.types import DataWarning

TABLE_SUFFIXES = (".csv", ".xlsx")

_DEEPEST = 3
"""Folders that archives nest in each other: ``BUS_UC/BUS_UC/Benign``."""

_MOST_TABLE_BYTES = 64 << 20
"""Of a table once unpacked; the published ones have under 1 MB."""

_MOST_ROWS = 100_000
_LOCK = "~$"
"""Begin of the files that spreadsheet programs keep beside an open table."""


def inside(folder: Path) -> list[Path]:
    """Return what lies in a folder in natural order, hidden files and folders left out.

    Raises:
        DataError: The folder may not be listed.
    """
    try:
        visible = (path for path in folder.iterdir() if not is_hidden(path, folder))
        return sorted((path for path in visible if not path.name.startswith(_LOCK)), key=natural_order)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror}); allow reading it") from error


def below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files of some suffixes (lower case) in and below a folder in natural order, hidden ones left out."""
    wanted = set(suffixes)
    files: list[Path] = []
    for path in inside(folder):
        if path.is_dir():
            is_loop = path.is_symlink() and folder.resolve().is_relative_to(path.resolve())
            files += [] if is_loop else below(path, wanted)
        elif path.suffix.lower() in wanted:
            files.append(path)
    return files


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder in natural order, hidden ones left out."""
    return [path for path in inside(folder) if has_image_suffix(path) and path.is_file()]


def others_in(root: Path, folders: Iterable[Path]) -> list[DataWarning]:
    """Return one problem a folder on its files that are no images by their suffix."""
    problems = []
    for folder in folders:
        names = [path.name for path in inside(folder) if path.is_file() and not has_image_suffix(path)]
        if (text := left_out(names)) is not None:
            problems.append(DataWarning(folder.relative_to(root).as_posix(), text))
    return problems


def entry(folder: Path, name: str) -> Path | None:
    """Return the file or folder of a name, in any case of letters; None where there is none."""
    return next((path for path in inside(folder) if path.name.casefold() == name.casefold()), None)


def published_root(root: Path, *entries: str) -> Path | None:
    """Return the folder that holds all of some entries: the given one, or the first inside it down to three levels."""
    level = [root]
    for _ in range(_DEEPEST + 1):
        for folder in level:
            if all(entry(folder, name) for name in entries):
                return folder
        level = [path for folder in level for path in inside(folder) if path.is_dir()]
    return None


def birads_of(text: str, path: str) -> tuple[int | None, tuple[tuple[str, str], ...], list[DataWarning]]:
    """Return a BI-RADS category, its metadata and what was wrong with it.

    Args:
        text: ``"3"``, ``"4.0"``, ``"4a"``, ``"4B"`` or empty.
        path: The image that it is of, for the problem.

    Returns:
        The category 0–6, None where it is unknown; ``birads_subcategory`` where there is one; one problem for a text
        that is no category.

    Example:
        >>> birads_of("4b", "a.png"), birads_of("3", "a.png")
        ((4, (('birads_subcategory', '4B'),), []), (3, (), []))
    """
    try:
        category = birads_category(text)
    except ValueError as error:
        return None, (), [DataWarning(path, f"{error}; taken as unknown")]
    subcategory = birads_subcategory(text)
    return category, () if subcategory is None else (("birads_subcategory", subcategory),), []


def published_rows(table: Path, columns: Sequence[str]) -> tuple[list[dict[str, str]], list[DataWarning]]:
    """Read a published table, CSV or XLSX, as text.

    A CSV is read by ``busight.io.csv_table``. Of a workbook the first sheet that has the columns is read. Column names
    count in any case of letters. Empty rows are left out.

    Args:
        table: The file.
        columns: Columns that are needed.

    Returns:
        One dictionary a row: the needed columns as named here, any others as in the file; whole numbers without ``.0``.
        And what had to be assumed.

    Raises:
        DataError: The file cannot be read, is too large, or lacks a column.
        MissingExtraError: It is a workbook, and openpyxl is not installed.
    """
    if table.suffix.lower() != ".xlsx":
        _require_small(table)
        content = read_table(table, columns)
        if set(columns) <= set(content.columns):
            return [row.cells for row in content.rows], [DataWarning(table.name, note) for note in content.notes]
    for grid in _sheets(table) if table.suffix.lower() == ".xlsx" else ():
        header = [cell.strip() for cell in grid[0]] if grid else []
        named = {column: _place(header, column) for column in columns}
        if None in named.values():
            continue
        names = dict(enumerate(header)) | {place: column for column, place in named.items() if place is not None}
        return [{name: row[place] for place, name in names.items() if name} for row in grid[1:] if any(row)], []
    raise DataError(f"{table}: no table with the columns {', '.join(columns)}; get it again from its authors")


def _place(header: Sequence[str], column: str) -> int | None:
    return next((place for place, name in enumerate(header) if name.casefold() == column.casefold()), None)


def _require_small(table: Path) -> None:
    if table.is_file() and table.stat().st_size > _MOST_TABLE_BYTES:
        raise DataError(f"{table}: more than {_MOST_TABLE_BYTES >> 20} MB, not a published table; get it again")


def _sheets(table: Path) -> list[list[list[str]]]:
    """Return the cells of each sheet of a workbook."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtraError(
            f'{table}: save it as CSV beside it, or install openpyxl with: pip install "busight[sources]"'
        ) from error
    try:
        _require_small(table)
        content = table.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _MOST_TABLE_BYTES:
            raise DataError(
                f"{table}: more than {_MOST_TABLE_BYTES >> 20} MB unpacked, no published table; get it again"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it does not support, such as drop-down lists
            # From memory: it leaves a file open that it cannot read.
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            return [_grid(table, sheet) for sheet in book.worksheets]
    except (*DAMAGE, zipfile.BadZipFile) as error:
        raise DataError(f"{table}: not a readable workbook ({type(error).__name__}); get it again") from error


def _grid(table: Path, sheet: Any) -> list[list[str]]:
    grid = []
    for row in sheet.iter_rows(values_only=True):
        if any(cell is not None for cell in row):
            grid.append([_text(cell) for cell in row])
        if len(grid) > _MOST_ROWS:
            raise DataError(f"{table}: more than {_MOST_ROWS} rows, not a published table; get it again")
    return grid


def _text(cell: object) -> str:
    """Return a cell as text; spreadsheets keep whole numbers as floating point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
