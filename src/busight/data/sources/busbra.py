"""BUS-BRA in its official layout: ``bus_data.csv``, ``Images/``, ``Masks/`` and the authors' folds.

Source:
    Gómez-Flores, Gregorio-Calas, Pereira: BUS-BRA: A breast ultrasound dataset for assessing computer-aided
    diagnosis systems, Medical Physics 51 (2024).
"""

from __future__ import annotations

import csv
from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers.files import FileReader
from busight.data.readers.image import read_size
from busight.data.sources.folder import existing_folder
from busight.errors import DataError
from busight.types import DataWarning, Sample

PUBLISHED_FOLDER = "BUSBRA"
_TABLE = "bus_data.csv"
_FOLDS = "5-fold-cv.csv"
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
    for row in rows:
        sample = _sample(root, row, folds.get(row["ID"]))
        if not (root / sample.image_path).is_file():
            problems.append(DataWarning(sample.image_path, "listed in bus_data.csv, but no such file; left out"))
            continue
        samples.append(sample)
        problems += _size_problems(root, sample, row)
        if not sample.mask_paths:
            problems.append(
                DataWarning(sample.image_path, "image without a mask; kept, its lesion outline counts as unknown")
            )
    if not samples:
        raise DataError(f"{root / 'Images'}: none of the images of {_TABLE} is there; unpack the whole archive")
    return DataSet(f"busbra:{argument}", "busbra", tuple(samples), FileReader(root), LESIONS, tuple(problems))


def _rows(table: Path, *columns: str) -> list[dict[str, str]]:
    """Read a published table in which every row has an ID and the named columns."""
    if not table.is_file():
        raise DataError(f"{table}: not found; busbra:PATH needs the folder that holds {_TABLE}, Images and Masks")
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: not a CSV table in UTF-8 ({error}); get the table again") from error
    for number, row in enumerate(rows, start=2):
        for column in ("ID", *columns):
            if not row.get(column):
                raise DataError(f"{table}: line {number} has no {column}; get the table again")
    return rows


def _size_problems(root: Path, sample: Sample, row: dict[str, str]) -> list[DataWarning]:
    """Compare the published size with the file's; four of the published ones are off by a pixel."""
    size = read_size(root / sample.image_path)
    listed = f"{row.get('Width')}×{row.get('Height')}"
    if size is None or listed == f"{size[0]}×{size[1]}":
        return []
    return [
        DataWarning(
            sample.image_path, f"bus_data.csv says {listed}, the file is {size[0]}×{size[1]}; the file is believed"
        )
    ]


def _sample(root: Path, row: dict[str, str], fold: str | None) -> Sample:
    try:
        if row["Pathology"] not in LESIONS.names:
            raise ValueError(f"Pathology {row['Pathology']!r}")
        mask = Path("Masks") / f"{row['ID'].replace('bus_', 'mask_')}.png"
        return Sample(
            sample_id=row["ID"],
            source="busbra",
            label=row["Pathology"],
            image_path=f"Images/{row['ID']}.png",
            mask_paths=(mask.as_posix(),) if (root / mask).is_file() else (),
            patient_id=f"busbra-{int(row['Case']):04d}",
            laterality=row.get("Side") if row.get("Side") in ("left", "right") else None,
            view=row.get("Side") or None,
            birads=_birads(row["BIRADS"]),
            histology=row.get("Histology") or None,
            device=row.get("Device") or None,
            official_subset=fold,
        )
    except ValueError as error:
        raise DataError(
            f"{root / _TABLE}: row {row['ID']} is not as published ({error}); get the table again"
        ) from error


def _birads(text: str) -> int:
    if text not in tuple("0123456"):
        raise ValueError(f"BI-RADS {text!r}")
    return int(text)
