"""Any folder: one sub-folder a class, or a CSV with the columns path, label and optionally patient and mask.

``labels.json`` beside them may define the label schema.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from busight.data.dataset import DataSet
from busight.data.image_spec import GREY, ImageSpec, Pixels, spec_of
from busight.data.labels import BREAST, LabelSchema, infer_labels
from busight.data.readers.files import FileReader
from busight.data.readers.image import IMAGE_SUFFIXES, MASK_SUFFIX
from busight.errors import DataError, ImageError
from busight.io.paths import user_path
from busight.types import DataWarning, Sample

TABLE_NAME = "samples.csv"
LABELS_NAME = "labels.json"
_KNOWN_COLUMNS = {
    "id", "path", "label", "patient", "mask", "laterality", "birads", "device",
    "exam", "view", "histology", "part", "origin", "spacing_mm",
}  # fmt: skip
_LATERALITY = {"left": "left", "l": "left", "right": "right", "r": "right"}
_SURPLUS = "(surplus)"
_IMAGES_READ = 64
_LEAST_SPACING, _MOST_SPACING = 0.001, 10
"""In mm. No image of a breast has finer or coarser pixels; a value outside is in another unit."""


def existing_folder(argument: str, source: str) -> Path:
    """Return the folder that a spec names.

    Raises:
        DataError: The path does not exist, is no folder, or the folder is empty.
    """
    root = user_path(argument)
    if not argument or not root.is_dir():
        raise DataError(
            f"{argument or '(nothing)'}: no such folder; write --data {source}:PATH with an existing folder"
        )
    if not any(root.iterdir()):
        raise DataError(f"{root}: the folder is empty; point --data {source}:PATH at the folder with the images")
    return root


def natural_order(path: Path) -> tuple[str | int, ...]:
    """Return a sort key that puts ``benign (2)`` before ``benign (10)``."""
    return tuple(int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", path.as_posix()))


def load_folder(argument: str) -> DataSet:
    """List a folder of class folders, a folder with ``samples.csv``, or a CSV file.

    Each sub-folder is a class, whatever its name; masks lie beside their image as ``NAME_mask.png``. A CSV has a header
    with ``path,label`` and optionally ``id,patient,mask,laterality,birads,device,exam,view,histology,part,
    origin,spacing_mm``; paths are relative to it, several masks are separated by ``;``, an empty label means unknown.
    Without ``id`` the path names the sample. ``part`` is train, val, test or an official fold, ``origin`` the digest of
    the image that it was resized from, ``spacing_mm`` row;column.

    ``labels.json`` may name ``names`` (in the order of the probabilities), ``positive`` and ``without_lesion``; without
    it ``malignant`` is the positive class and ``normal`` the one without a lesion, where they occur.

    Args:
        argument: A folder or a CSV file.

    Raises:
        DataError: There is no usable image, or a column or label is unknown.
    """
    path = user_path(argument)
    if path.is_file():
        samples, problems = _from_table(path)
        root = path.parent
    else:
        root = existing_folder(argument, "folder")
        table = root / TABLE_NAME
        samples, problems = _from_table(table) if table.is_file() else _from_class_folders(root)
    if not samples:
        raise DataError(
            f"{argument}: no labelled images found; expected a sub-folder for each class or a {TABLE_NAME} with "
            "the columns path,label"
        )
    labels = _labels(root, {sample.label for sample in samples if sample.label is not None})
    spec = _image_spec(FileReader(root), samples)
    reader = FileReader(root, spec)
    return DataSet(f"folder:{argument}", "folder", tuple(samples), reader, labels, tuple(problems), spec)


def _image_spec(reader: FileReader, samples: Sequence[Sample]) -> ImageSpec:
    """Infer from evenly spaced images whether they are colour images, and from all of them the bits of 16-bit files."""
    types: set[np.dtype[Any]] = set()
    try:
        spec = spec_of(_readable(reader, samples[:: max(1, len(samples) // _IMAGES_READ)], types))
    except DataError:
        return GREY  # none can be read: the manifest lists each file
    return spec_of(_readable(reader, samples, types)) if np.dtype(np.uint16) in types else spec


def _readable(reader: FileReader, samples: Iterable[Sample], types: set[np.dtype[Any]]) -> Iterator[Pixels]:
    """Yield the pixels of readable images, one at a time, and collect their dtypes."""
    for sample in samples:
        with contextlib.suppress(ImageError):
            pixels = reader.pixels(sample)
            types.add(pixels.dtype)
            yield pixels


def _labels(root: Path, found: set[str]) -> LabelSchema:
    """Return the schema of ``labels.json``, else the one inferred from the names."""
    path = root / LABELS_NAME
    if not path.is_file():
        _require_one_spelling(root, found)
        # A set without labels, or of a single class, can be viewed, predicted, and scored by a bundle.
        return infer_labels(found) if len(found) > 1 else infer_labels({*BREAST.names, *found})
    try:
        labels = TypeAdapter(LabelSchema).validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            f'{path}: not label names ({reason}); write {{"names": ["a", "b"], "positive": "b"}}'
        ) from error
    if unknown := {label for label in found if labels.index(label) < 0}:
        raise DataError(f"{path}: does not name the label {min(unknown)!r}; known: {', '.join(labels.names)}")
    return labels


def _require_one_spelling(root: Path, found: set[str]) -> None:
    """Raise for labels that are probably one label in two spellings: each would silently become a class of its own."""
    for label in sorted(found - set(BREAST.names)):
        near = [name for name in found if name != label and name.casefold() == label.casefold()]
        near = near or difflib.get_close_matches(label.casefold(), BREAST.names, n=1, cutoff=0.8)
        if near:
            raise DataError(
                f"{root}: label {label!r} looks like {near[0]!r} written otherwise; write one of them everywhere, or "
                f"name the classes in {LABELS_NAME}"
            )


def _from_class_folders(root: Path) -> tuple[list[Sample], list[DataWarning]]:
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    for folder in sorted((path for path in root.iterdir() if _is_class_folder(path)), key=natural_order):
        paths = sorted((p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES), key=natural_order)
        images = [path for path in paths if not MASK_SUFFIX.search(path.stem)]
        if not images:
            raise DataError(f"{folder}: no images of class {folder.name}; add some or remove the folder")
        owners = {path.with_suffix("").as_posix() for path in images}
        masks = _masks_by_owner((path for path in paths if MASK_SUFFIX.search(path.stem)), root)
        problems += [
            DataWarning(mask, "mask without its image; left out")
            for owner, files in masks.items()
            if owner not in owners
            for mask in files
        ]
        for path in images:
            relative = path.relative_to(root)
            samples.append(
                Sample(
                    sample_id=relative.as_posix(),
                    source="folder",
                    label=_canonical(folder.name),
                    image_path=relative.as_posix(),
                    mask_paths=tuple(masks.get(path.with_suffix("").as_posix(), ())),
                )
            )
    return samples, problems


def _is_class_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith((".", "__"))


def _masks_by_owner(paths: Iterable[Path], root: Path) -> dict[str, list[str]]:
    masks: dict[str, list[str]] = {}
    for path in paths:
        owner = f"{path.parent.as_posix()}/{MASK_SUFFIX.sub('', path.stem)}"  # a file "_mask.png" has no owner
        masks.setdefault(owner, []).append(path.relative_to(root).as_posix())
    return masks


def _from_table(table: Path) -> tuple[list[Sample], list[DataWarning]]:
    try:
        # As bytes: reading as text would turn a carriage return within a cell into a line feed.
        text = io.StringIO(table.read_bytes().decode("utf-8-sig"), newline="")
        reader = csv.DictReader(text, restkey=_SURPLUS, strict=True)
        names = list(reader.fieldnames or ())
        columns = set(names)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: not a CSV table in UTF-8 ({error}); save it as CSV, UTF-8") from error
    if "path" not in columns or "label" not in columns:
        given = ", ".join(sorted(columns)) or "none"
        raise DataError(f"{table}: the columns path and label are needed, found {given}")
    if len(columns) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{table}: has two columns {twice}; keep the one that counts")
    if unknown := columns - _KNOWN_COLUMNS:
        raise DataError(f"{table}: unknown column {min(unknown)}; allowed: {', '.join(sorted(_KNOWN_COLUMNS))}")
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        sample = _row_sample(table, number, row)
        if sample.sample_id in seen:
            what = "id" if row.get("id") else "path"
            raise DataError(f"{table}: line {number} repeats the {what} {sample.sample_id}; name each image once")
        seen.add(sample.sample_id)
        if (table.parent / sample.image_path).is_file():
            samples.append(sample)
        else:
            problems.append(DataWarning(sample.image_path, "listed in the table, but no such file; left out"))
    if not rows:
        raise DataError(f"{table}: has a header and no line under it; write one line for each image")
    if not samples:
        raise DataError(
            f"{table}: none of its {len(rows)} images is there (first: {problems[0].path}); paths are relative to it"
        )
    sides = Counter((row.get("laterality") or "").strip() for row in rows)
    problems += [
        DataWarning(table.name, f"laterality {side!r} of {count} lines is neither left nor right; taken as unknown")
        for side, count in sides.items()
        if side and side.lower() not in _LATERALITY
    ]
    _check_parts(table, {sample.official_subset for sample in samples} - {None})
    return samples, problems


def _check_parts(table: Path, parts: Set[str | None]) -> None:
    """Raise for official subsets that are neither train, val and test nor numbered folds."""
    folds = {part for part in parts if part is not None and part.isascii() and part.isdigit()}
    if odd := parts - folds - {"train", "val", "test"}:
        raise DataError(f"{table}: part {min(map(str, odd))!r} is not train, val, test or the number of a fold")
    if folds and folds != parts:
        raise DataError(f"{table}: its parts are partly folds, partly train, val or test; use one of the two")


def _row_sample(table: Path, number: int, row: dict[str, str]) -> Sample:
    if _SURPLUS in row:
        raise DataError(f"{table}: line {number} has more cells than the header; put cells with commas in quotes")
    values = {key: (value or "").strip() for key, value in row.items()}
    birads = values.get("birads", "")
    if birads not in ("", *"0123456"):
        raise DataError(f"{table}: line {number}: BI-RADS {birads!r} is not a category 0–6")
    if not values["path"]:
        raise DataError(f"{table}: line {number} has no path; name an image or remove the line")
    return Sample(
        sample_id=values.get("id") or values["path"],
        source="folder",
        label=_canonical(values["label"]),
        image_path=values["path"],
        mask_paths=tuple(part.strip() for part in values.get("mask", "").split(";") if part.strip()),
        patient_id=values.get("patient") or None,
        laterality=_LATERALITY.get(values.get("laterality", "").lower()),
        birads=int(birads) if birads else None,
        device=values.get("device") or None,
        exam_id=values.get("exam") or None,
        view=values.get("view") or None,
        histology=values.get("histology") or None,
        official_subset=values.get("part") or None,
        tags=(f"origin:{values['origin']}",) if values.get("origin") else (),
        pixel_spacing_mm=_spacing(table, number, values.get("spacing_mm", "")),
    )


def _spacing(table: Path, number: int, text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        row, column = map(float, text.split(";"))
    except ValueError:
        row = column = float("nan")
    if not all(_LEAST_SPACING <= side <= _MOST_SPACING for side in (row, column)):
        raise DataError(
            f"{table}: line {number}: spacing_mm {text!r} is not ROW;COLUMN from {_LEAST_SPACING} to "
            f"{_MOST_SPACING} mm, e.g. 0.1;0.1"
        )
    return row, column


def _canonical(label: str) -> str | None:
    """Return the canonical spelling of a label: the well-known ones in lower case; None for an empty one."""
    return label.lower() if label.lower() in BREAST.names else label or None
