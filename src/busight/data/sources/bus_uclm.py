"""BUS-UCLM in its official layout: ``INFO.csv`` (semicolons), ``images/`` and ``masks/`` with the same names.

The letters before ``_`` in ``ALWI_000.png`` are the patient. Masks are RGB: green benign, red malignant, black nothing.
Licence: CC BY 4.0 by the set's page as others quote it; some quote CC BY-NC 4.0.

Source:
    Vallez et al.: BUS-UCLM: Breast ultrasound lesion segmentation dataset, Scientific Data 12 (2025),
    doi:10.1038/s41597-025-04562-3. Data: Mendeley Data, doi:10.17632/7fvgj4jsp7.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.data.readers.files import FileReader
from busight.data.readers.image import IMAGE_SUFFIXES
from busight.data.readers.listing import NO_IMAGE, NO_MASK
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import entry, images_in, others_in, published_root, published_rows
from busight.data.table_values import known
from busight.errors import DataError
from busight.types import DataWarning, Sample

_TABLE = "INFO.csv"
_NEEDED = ("Image", "Label")
_DEVICE = "Siemens ACUSON S2000"


def load_bus_uclm(argument: str) -> DataSet:
    """List BUS-UCLM below a folder, or below the folders of its archive inside it.

    The label is the table's. ``Doppler``, ``Marks`` and ``Combined`` are kept as metadata. Masks of another size than
    their image, as published for one patient, are ignored with a line.

    Args:
        argument: Path of the folder that holds ``INFO.csv``, ``images`` and ``masks``.

    Raises:
        DataError: One of the three is missing, the table cannot be read, or none of its images is there.
    """
    given = existing_folder(argument, "bus_uclm")
    root = published_root(given, _TABLE, "images")
    if root is None:
        raise DataError(f"{given}: no {_TABLE} beside a folder images; bus_uclm:PATH needs both, and masks")
    rows, problems = published_rows(entry(root, _TABLE) or root, _NEEDED)
    images, masks = (_by_name(root, folder, problems) for folder in ("images", "masks"))
    samples: dict[str, Sample] = {}
    for row in rows:
        name = _name(row["Image"])
        fault = "its image is listed twice" if name in samples else _fault(row, images)
        if fault:
            problems.append(
                DataWarning(images.get(name, f"images/{row['Image']}"), f"{fault}; row of INFO.csv left out")
            )
            continue
        samples[name] = _sample(row, images[name], masks.get(name))
        if name not in masks and BREAST.shows_lesion(samples[name].label):
            problems.append(DataWarning(images[name], NO_MASK))
    if not samples:
        raise DataError(f"{root / _TABLE}: none of its images is usable; unpack the whole archive")
    unlisted = images.keys() - {_name(row["Image"]) for row in rows}
    problems += [DataWarning(images[name], "not listed in INFO.csv; left out") for name in images if name in unlisted]
    problems += [DataWarning(path, NO_IMAGE) for name, path in masks.items() if name not in images]
    reader = FileReader(root)
    return DataSet(f"bus_uclm:{argument}", "bus_uclm", tuple(samples.values()), reader, BREAST, tuple(problems))


def _by_name(root: Path, name: str, problems: list[DataWarning]) -> dict[str, str]:
    """Return the image files of a folder, relative to the root, by their names without suffix; add what is left out."""
    folder = entry(root, name)
    if folder is None or not folder.is_dir():
        return {}
    files: dict[str, str] = {}
    for path in images_in(folder):
        relative = path.relative_to(root).as_posix()
        if files.setdefault(_name(path.name), relative) != relative:
            problems.append(DataWarning(relative, f"named as {files[_name(path.name)]}; left out"))
    problems += others_in(root, [folder])
    return files


def _name(file: str) -> str:
    path = PurePath(file)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name


def _fault(row: dict[str, str], images: dict[str, str]) -> str:
    """Return why a row cannot be used; empty where it can."""
    if _name(row["Image"]) not in images:
        return "no such file"
    if row["Label"].lower() not in BREAST.names:
        return f"Label {row['Label']!r:.40} is not {', '.join(BREAST.names)}"
    return ""


def _sample(row: dict[str, str], image: str, mask: str | None) -> Sample:
    name = _name(row["Image"])
    patient, line, _ = name.partition("_")
    return Sample(
        sample_id=name,
        source="bus_uclm",
        label=row["Label"].lower(),
        image_path=image,
        mask_paths=() if mask is None else (mask,),
        patient_id=f"bus_uclm-{patient}" if line and patient else None,
        device=_DEVICE,
        metadata=tuple((column, text) for column, text in row.items() if column not in _NEEDED and known(text)),
    )
