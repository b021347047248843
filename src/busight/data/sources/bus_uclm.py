"""BUS-UCLM in its official layout: ``INFO.csv`` (semicolons), ``images/`` and ``masks/`` with the same names.

The letters before ``_`` in ``ALWI_000.png`` are the patient. Masks are RGB: green benign, red malignant, black nothing.
Licence: CC BY 4.0 by the set's page as others quote it; some quote CC BY-NC 4.0.

Source:
    Vallez et al.: BUS-UCLM: Breast ultrasound lesion segmentation dataset, Scientific Data 12 (2025),
    doi:10.1038/s41597-025-04562-3. Data: Mendeley Data, doi:10.17632/7fvgj4jsp7.
"""

from __future__ import annotations

from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.data.readers.files import FileReader
from busight.data.readers.image import read_painted_mask
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import NO_IMAGE, NO_MASK, entry, images_in, published_root, published_rows
from busight.errors import DataError
from busight.types import DataWarning, Sample

_TABLE = "INFO.csv"
_NEEDED = ("Image", "Label")
_FLAGS = ("Doppler", "Marks", "Combined")
_DEVICE = "Siemens ACUSON S2000"


def load_bus_uclm(argument: str) -> DataSet:
    """List BUS-UCLM below a folder, or below the folders of its archive inside it.

    The label is the table's. ``Doppler``, ``Marks`` and ``Combined`` become tags where they say yes. Masks of another
    size than their image, as published for one patient, are ignored with a line.

    Args:
        argument: Path of the folder that holds ``INFO.csv``, ``images`` and ``masks``.

    Raises:
        DataError: One of the three is missing, the table cannot be read, or none of its images is there.
    """
    given = existing_folder(argument, "bus_uclm")
    root = published_root(given, _TABLE, "images")
    if root is None:
        raise DataError(f"{given}: no {_TABLE} beside a folder images; bus_uclm:PATH needs both, and masks")
    images, masks = (_by_name(root, folder) for folder in ("images", "masks"))
    samples: dict[str, Sample] = {}
    problems: list[DataWarning] = []
    for row in published_rows(entry(root, _TABLE) or root, _NEEDED):
        name, label = row["Image"], row["Label"].lower()
        fault = "listed in INFO.csv, but no such file" if name not in images else ""
        fault = fault or (
            f"Label {row['Label']!r:.40} is not {', '.join(BREAST.names)}" if label not in BREAST.names else ""
        )
        if fault or name in samples:
            text = f"{fault}; left out" if fault else "listed twice in INFO.csv; its first row counts"
            problems.append(DataWarning(f"images/{name}", text))
            continue
        samples[name] = _sample(row, images[name], masks.get(name))
        if name not in masks and BREAST.shows_lesion(label):
            problems.append(DataWarning(images[name], NO_MASK))
    if not samples:
        raise DataError(f"{root / _TABLE}: none of its images is usable; unpack the whole archive")
    listed = {problem.path for problem in problems}
    problems += [
        DataWarning(path, "not listed in INFO.csv; left out")
        for name, path in images.items()
        if name not in samples and f"images/{name}" not in listed
    ]
    problems += [DataWarning(path, NO_IMAGE) for name, path in masks.items() if name not in images]
    reader = FileReader(root, mask_file=read_painted_mask)
    return DataSet(f"bus_uclm:{argument}", "bus_uclm", tuple(samples.values()), reader, BREAST, tuple(problems))


def _by_name(root: Path, name: str) -> dict[str, str]:
    """Return the image files of a folder, relative to the root, by their names."""
    folder = entry(root, name)
    if folder is None or not folder.is_dir():
        return {}
    return {path.name: path.relative_to(root).as_posix() for path in images_in(folder)}


def _sample(row: dict[str, str], image: str, mask: str | None) -> Sample:
    name = Path(row["Image"]).stem
    patient, line, _ = name.partition("_")
    return Sample(
        sample_id=name,
        source="bus_uclm",
        label=row["Label"].lower(),
        image_path=image,
        mask_paths=() if mask is None else (mask,),
        patient_id=f"bus_uclm-{patient}" if line and patient else None,
        device=_DEVICE,
        tags=tuple(flag.lower() for flag in _FLAGS if row.get(flag, "").lower() in ("yes", "true", "1")),
    )
