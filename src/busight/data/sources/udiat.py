"""UDIAT ("Dataset B") in its official layout: ``original`` and ``GT`` with ``000001.png``, and ``DatasetB.xlsx``.

163 images of 163 women. The table has ``Image`` (a number), ``Type`` (Benign or Malignant) and ``Diagnosis``. The set
is given on request, after signing a release agreement.

Source:
    Yap et al.: Automated breast ultrasound lesions detection using convolutional neural networks, IEEE Journal of
    Biomedical and Health Informatics 22 (2018) 1218–1226. http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php
"""

from __future__ import annotations

import re
from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers.files import FileReader
from busight.data.readers.image import IMAGE_SUFFIXES
from busight.data.readers.listing import NO_IMAGE, NO_MASK
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import (
    TABLE_SUFFIXES,
    below,
    entry,
    inside,
    others_in,
    published_root,
    published_rows,
)
from busight.errors import DataError
from busight.types import DataWarning, Sample

_NEEDED = ("Image", "Type")
_IMAGES, _MASKS = "original", "gt"


def load_udiat(argument: str) -> DataSet:
    """List UDIAT below a folder.

    The class of an image is, in this order, what the table says (``DatasetB.xlsx``, or its export as CSV), the list
    that names it (``benign.txt``, ``malignant.txt``: one image a line), or a folder Benign or Malignant above it. An
    image with none is kept without a label.

    Args:
        argument: Path of the folder that holds ``original`` and ``GT``, or both below Benign and Malignant.

    Raises:
        DataError: The folders are missing, no class is known, or the table contradicts itself.
        MissingExtraError: The table is XLSX, and openpyxl is not installed.
    """
    given = existing_folder(argument, "udiat")
    roots = [found for found in (published_root(given, _IMAGES), published_root(given, *LESIONS.names)) if found]
    root = min(roots, key=lambda path: len(path.parts), default=None)
    if root is None:
        raise DataError(f"{given}: no folder original; udiat:PATH needs original, GT and DatasetB.xlsx")
    images, masks, problems = _files(root)
    if not images:
        raise DataError(f"{root}: no images below a folder original; unpack the whole archive")
    known, notes = _classes(root)
    problems += notes
    problems += others_in(root, [path for name in (_IMAGES, _MASKS) if (path := entry(root, name)) is not None])
    samples = [_sample(name, path, masks, known) for name, path in images.items()]
    if all(sample.label is None for sample in samples):
        raise DataError(
            f"{root}: no class is known; udiat:PATH needs DatasetB.xlsx or its export as CSV (columns Image, Type), or "
            "benign.txt and malignant.txt with one image a line"
        )
    problems += [
        DataWarning(sample.image_path, "its class is nowhere listed; kept without a label")
        for sample in samples
        if sample.label is None
    ]
    problems += [DataWarning(sample.image_path, NO_MASK) for sample in samples if not sample.mask_paths]
    problems += [DataWarning(path, NO_IMAGE) for name, path in masks.items() if name not in images]
    there = {name.rpartition("/")[2] for name in images}
    problems += [
        DataWarning(f"original/{name}.png", "its class is listed, but no such file; left out")
        for name in known
        if name not in there
    ]
    return DataSet(f"udiat:{argument}", "udiat", tuple(samples), FileReader(root), LESIONS, tuple(problems))


def _files(root: Path) -> tuple[dict[str, str], dict[str, str], list[DataWarning]]:
    """Return images and masks by their names, and files of a name that is there already."""
    images: dict[str, str] = {}
    masks: dict[str, str] = {}
    problems: list[DataWarning] = []
    for path in below(root, IMAGE_SUFFIXES):
        relative = path.relative_to(root).as_posix()
        folders = {part.casefold() for part in Path(relative).parts[:-1]}
        into = images if _IMAGES in folders else masks if _MASKS in folders else None
        if into is None:
            continue
        above = _folder_class(relative)
        name = f"{above}/{_name(path.stem)}" if above else _name(path.stem)
        if name in into:
            problems.append(DataWarning(relative, "a file of this number is there already; left out"))
        into.setdefault(name, relative)
    return images, masks, problems


def _folder_class(relative: str) -> str | None:
    folders = {part.casefold() for part in Path(relative).parts[:-1]}
    return next((label for label in LESIONS.names if label in folders), None)


def _name(text: str) -> str:
    """Return the published name of an image: six digits, also for ``1``, ``1.0`` and ``000001.png``."""
    stem = re.sub(r"\.(0|png|bmp|jpg|tif)$", "", text.strip(), flags=re.IGNORECASE)
    return stem.zfill(6) if stem.isascii() and stem.isdigit() else stem


def _classes(root: Path) -> tuple[dict[str, tuple[str, str]], list[DataWarning]]:
    """Return the class and the diagnosis of the images that the table names, or else the lists; and what to tell."""
    tables = [
        path
        for path in inside(root)
        if path.suffix.lower() in TABLE_SUFFIXES and path.stem.lower() not in LESIONS.names
    ]
    found: dict[str, tuple[str, str]] = {}
    if tables:
        table = min(
            tables, key=lambda path: ("dataset" not in path.name.lower(), TABLE_SUFFIXES.index(path.suffix.lower()))
        )
        rows, notes = published_rows(table, _NEEDED)
        for row in rows:
            label = row["Type"].lower()
            if label not in LESIONS.names:
                raise DataError(
                    f"{table}: image {row['Image']} has Type {row['Type']!r:.40}, not benign or malignant; mend it"
                )
            _add(table, found, row["Image"], label, row.get("Diagnosis", ""))
        return found, notes
    for path in inside(root):
        if path.suffix.lower() in (".txt", ".csv") and path.stem.lower() in LESIONS.names:
            for line in path.read_text(encoding="utf-8-sig", errors="replace").split():
                _add(path, found, line.strip(",;"), path.stem.lower(), "")
    return found, []


def _add(table: Path, found: dict[str, tuple[str, str]], image: str, label: str, diagnosis: str) -> None:
    if found.setdefault(_name(image), (label, diagnosis))[0] != label:
        raise DataError(f"{table}: image {image} is both benign and malignant; keep one of the two")


def _sample(name: str, path: str, masks: dict[str, str], known: dict[str, tuple[str, str]]) -> Sample:
    label, diagnosis = known.get(name.rpartition("/")[2], (_folder_class(path), ""))
    return Sample(
        sample_id=name,
        source="udiat",
        label=label,
        image_path=path,
        mask_paths=(masks[name],) if name in masks else (),
        patient_id=f"udiat-{name}",
        histology=diagnosis or None,
    )
