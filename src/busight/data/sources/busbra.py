"""BUS-BRA in its official layout: ``bus_data.csv``, ``Images/``, ``Masks/`` and the authors' folds.

Source:
    Gómez-Flores, Gregorio-Calas, Pereira: BUS-BRA: A breast ultrasound dataset for assessing computer-aided
    diagnosis systems, Medical Physics 51 (2024).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers.files import FileReader
from busight.data.readers.image import read_size
from busight.data.readers.listing import NO_MASK, has_image_suffix, visible_files
from busight.data.sources.folder import existing_folder
from busight.data.table_values import birads_category, known
from busight.errors import DataError
from busight.io.csv_table import read_table, whole_number_of
from busight.types import DataWarning, Sample

PUBLISHED_FOLDER = "BUSBRA"
_TABLE = "bus_data.csv"
_FOLDS = "5-fold-cv.csv"
_COLUMNS = (
    "ID", "Case", "Histology", "Pathology", "BIRADS", "Device", "Width", "Height", "Side", "BBOX", "kFold",
)  # fmt: skip
_NEEDED = ("Case", "Pathology", "BIRADS")


def load_busbra(argument: str) -> DataSet:
    """List BUS-BRA below a folder (or below ``BUSBRA`` inside it).

    The ``official_subset`` of a sample is its fold 1–5 of the authors' ``5-fold-cv.csv``. There are no normal images.

    Args:
        argument: Path of the folder that holds ``bus_data.csv``.

    Raises:
        DataError: The folder, the table or all images are missing, or a row has an unknown value.
    """
    root = existing_folder(argument, "busbra")
    if (root / PUBLISHED_FOLDER).is_dir():
        root = root / PUBLISHED_FOLDER
    rows = _rows(root / _TABLE, *_NEEDED)
    folds = {row["ID"]: row["kFold"] for row in _rows(root / _FOLDS, "kFold")} if (root / _FOLDS).is_file() else {}
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    if len({row["ID"] for row in rows}) != len(rows):
        raise DataError(f"{root / _TABLE}: an ID stands in two rows; get the table again")
    images, masks = _files_by_stem(root / "Images"), _files_by_stem(root / "Masks")
    for row in rows:
        sample = _sample(root, row, folds.get(row["ID"]), images, masks)
        if not (root / sample.image_path).is_file():
            problems.append(DataWarning(sample.image_path, "listed in bus_data.csv, but no such file; left out"))
            continue
        samples.append(sample)
        problems += _size_problems(root, sample, row)
        if not sample.mask_paths:
            problems.append(DataWarning(sample.image_path, NO_MASK))
    if unlisted := images.keys() - {row["ID"].lower() for row in rows}:
        text = f"{len(unlisted)} images are not in {_TABLE} and were left out"
        problems.append(DataWarning(images[min(unlisted)], text))
    if not samples:
        raise DataError(f"{root / 'Images'}: none of the images of {_TABLE} is there; unpack the whole archive")
    return DataSet(f"busbra:{argument}", "busbra", tuple(samples), FileReader(root), LESIONS, tuple(problems))


def _rows(table: Path, *columns: str) -> list[dict[str, str]]:
    """Read a published table in which every row has an ID and the named columns, also as a spreadsheet saves it."""
    if not table.is_file():
        raise DataError(f"{table}: not found; busbra:PATH needs the folder that holds {_TABLE}, Images and Masks")
    rows = read_table(table, _COLUMNS).rows
    for row in rows:
        for column in ("ID", *columns):
            if not row.cells.get(column):
                raise DataError(f"{table}: line {row.line} has no {column}; get the table again")
    return [row.cells for row in rows]


def _files_by_stem(folder: Path) -> dict[str, str]:
    """Return the path of each image file, relative to the folder's parent, by its stem in lower case."""
    paths = sorted(path for path in visible_files(folder) if has_image_suffix(path)) if folder.is_dir() else []
    return {path.stem.lower(): path.relative_to(folder.parent).as_posix() for path in reversed(paths)}


def _size_problems(root: Path, sample: Sample, row: dict[str, str]) -> list[DataWarning]:
    """Compare the published size with the file's; four of the published ones are off by a pixel."""
    size = read_size(root / sample.image_path)
    listed = f"{row.get('Width')}×{row.get('Height')}"
    with contextlib.suppress(ValueError):
        listed = f"{whole_number_of(row.get('Width', ''))}×{whole_number_of(row.get('Height', ''))}"
    if size is None or listed == f"{size[0]}×{size[1]}":
        return []
    return [
        DataWarning(
            sample.image_path, f"bus_data.csv says {listed}, the file is {size[0]}×{size[1]}; the file is believed"
        )
    ]


def _sample(
    root: Path, row: dict[str, str], fold: str | None, images: Mapping[str, str], masks: Mapping[str, str]
) -> Sample:
    """Return the sample of a row; ``images`` and ``masks`` are the files that are there, by their stems."""
    try:
        label, side, stem = row["Pathology"].lower(), (row.get("Side") or "").lower(), row["ID"].lower()
        if label not in LESIONS.names:
            raise ValueError(f"Pathology {row['Pathology']!r}")
        if (birads := birads_category(row["BIRADS"])) is None:
            raise ValueError(f"BI-RADS {row['BIRADS']!r}")
        mask = masks.get(stem.replace("bus_", "mask_"))
        return Sample(
            sample_id=row["ID"],
            source="busbra",
            label=label,
            image_path=images.get(stem, f"Images/{row['ID']}.png"),
            mask_paths=() if mask is None else (mask,),
            patient_id=f"busbra-{whole_number_of(row['Case']):04d}",
            laterality=side if side in ("left", "right") else None,
            view=side or None,
            birads=birads,
            histology=known(row.get("Histology")),
            device=known(row.get("Device")),
            official_subset=None if fold is None else str(whole_number_of(fold)),
        )
    except ValueError as error:
        raise DataError(
            f"{root / _TABLE}: row {row['ID']} is not as published ({error}); get the table again"
        ) from error
