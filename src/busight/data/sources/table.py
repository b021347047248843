"""The table of the source ``folder``: a CSV with the columns path, label and whatever else is known of an image."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Set
from pathlib import Path

from busight.data.labels import BREAST
from busight.data.readers.source import LEAST_SPACING_MM, MOST_SPACING_MM
from busight.data.table_values import birads_category, birads_subcategory, known, known_label
from busight.errors import DataError
from busight.io.csv_table import Table, TableRow, listed_path, number_of, read_table, whole_number_of
from busight.types import DataWarning, Sample

TABLE_NAME = "samples.csv"
COLUMNS = (
    "id", "path", "label", "patient", "mask", "laterality", "birads", "device",
    "exam", "view", "histology", "part", "origin", "spacing_mm", "mask_values",
)  # fmt: skip
"""Columns with a meaning; `busight.data.resize` writes them in this order."""

_LATERALITY = {"left": "left", "l": "left", "right": "right", "r": "right"}


def samples_of_table(table: Path) -> tuple[list[Sample], list[DataWarning]]:
    """Return the samples that a table lists, and what is to be told of it.

    Raises:
        DataError: The table cannot be read, lacks path or label, lists no image that is there, or holds a value that
            is not allowed.
    """
    content = read_table(table, COLUMNS)
    if "path" not in content.columns or "label" not in content.columns:
        given = ", ".join(sorted(content.columns)) or "none"
        raise DataError(f"{table}: the columns path and label are needed, found {given}")
    if not content.rows:
        raise DataError(f"{table}: has a header and no line under it; write one line for each image")
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    seen: set[str] = set()
    files: set[str] = set()
    for row in content.rows:
        sample = _row_sample(table, row)
        file = os.path.normpath(sample.image_path)
        if sample.sample_id in seen or file in files:
            what = f"id {sample.sample_id}" if sample.sample_id in seen and row.cells.get("id") else f"path {file}"
            raise DataError(f"{table}: line {row.line} repeats the {what}; name each image once")
        seen.add(sample.sample_id)
        files.add(file)
        if (table.parent / sample.image_path).is_file():
            samples.append(sample)
        else:
            problems.append(DataWarning(sample.image_path, "listed in the table, but no such file; left out"))
    if not samples:
        raise DataError(
            f"{table}: none of its {len(content.rows)} images is there (first: {problems[0].path}); paths are relative "
            "to it"
        )
    problems += [DataWarning(table.name, note) for note in (*content.notes, *_notes(content))]
    _check_parts(table, {sample.official_subset for sample in samples} - {None})
    return samples, problems


def canonical_label(label: str) -> str:
    """Return the canonical spelling of a label: the well-known ones in lower case."""
    return label.lower() if label.lower() in BREAST.names else label


def _notes(content: Table) -> list[str]:
    """Return what is to be told of values and columns that were read in a way that may not be meant."""
    sides = Counter(known(row.cells.get("laterality")) for row in content.rows)
    notes = [
        f"laterality {side!r} of {count} lines is neither left nor right; taken as unknown"
        for side, count in sides.items()
        if side and side.lower() not in _LATERALITY
    ]
    if further := [column for column in content.columns if column not in COLUMNS]:
        notes.append(f"kept as metadata, without a meaning here: {', '.join(further)}")
    for column in further:
        near = [name for name in COLUMNS if name not in content.columns and column.lower().startswith(name)]
        near = near or difflib.get_close_matches(column.lower(), set(COLUMNS) - set(content.columns), n=1, cutoff=0.75)
        if near:
            notes.append(f"column {column!r} has no meaning here; rename it to {near[0]!r} if it is that")
    return notes


def _check_parts(table: Path, parts: Set[str | None]) -> None:
    """Raise for official subsets that are neither train, val and test nor numbered folds."""
    folds = {part for part in parts if part is not None and part.isascii() and part.isdigit()}
    if odd := parts - folds - {"train", "val", "test"}:
        raise DataError(f"{table}: part {min(map(str, odd))!r} is not train, val, test or the number of a fold")
    if folds and folds != parts:
        raise DataError(f"{table}: its parts are partly folds, partly train, val or test; use one of the two")


def _row_sample(table: Path, row: TableRow) -> Sample:
    cells = row.cells
    try:
        birads = birads_category(cells.get("birads"))
    except ValueError as error:
        raise DataError(f"{table}: line {row.line}: {error}") from error
    if not cells["path"]:
        raise DataError(f"{table}: line {row.line} has no path; name an image or remove the line")
    label, origin = known_label(cells["label"]), known(cells.get("origin"))
    metadata = {column: text for column, text in cells.items() if column not in COLUMNS and text}
    if (subcategory := birads_subcategory(cells.get("birads"))) is not None:
        metadata["birads_subcategory"] = subcategory
    path = listed_path(table, cells["path"])
    masks = [part.strip() for part in (known(cells.get("mask")) or "").split(";") if part.strip()]
    return Sample(
        sample_id=cells.get("id") or path,
        source="folder",
        label=None if label is None else canonical_label(label),
        image_path=path,
        mask_paths=tuple(listed_path(table, mask) for mask in masks),
        mask_values=_mask_values(table, row.line, known(cells.get("mask_values"))),
        patient_id=known(cells.get("patient")),
        laterality=_LATERALITY.get(cells.get("laterality", "").lower()),
        birads=birads,
        device=known(cells.get("device")),
        exam_id=known(cells.get("exam")),
        view=known(cells.get("view")),
        histology=known(cells.get("histology")),
        official_subset=known(cells.get("part")),
        tags=() if origin is None else (f"origin:{origin}",),
        pixel_spacing_mm=_spacing(table, row.line, known(cells.get("spacing_mm"))),
        metadata=tuple(metadata.items()),
    )


def _mask_values(table: Path, number: int, text: str | None) -> tuple[int, ...]:
    try:
        values = tuple(whole_number_of(part) for part in (text or "").split(";") if part.strip())
    except ValueError:
        values = (-1,)
    if not all(0 < value <= 65535 for value in values):
        raise DataError(
            f"{table}: line {number}: mask_values {text!r} are not whole numbers above 0 with semicolons between them, "
            "e.g. 85;170"
        )
    return values


def _spacing(table: Path, number: int, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        row, column = map(number_of, text.split(";"))
    except ValueError:
        row = column = float("nan")
    if not all(LEAST_SPACING_MM <= side <= MOST_SPACING_MM for side in (row, column)):
        raise DataError(
            f"{table}: line {number}: spacing_mm {text!r} is not ROW;COLUMN from {LEAST_SPACING_MM} to "
            f"{MOST_SPACING_MM} mm, e.g. 0.1;0.1"
        )
    return row, column
