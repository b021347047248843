"""BUSI in its official layout: one folder per class, ``NAME (k).png`` beside ``NAME (k)_mask.png``, ``..._mask_1.png``.

Source:
    Al-Dhabyani, Gomaa, Khaled, Fahmy: Dataset of breast ultrasound images, Data in Brief 28 (2020) 104863.
"""

from __future__ import annotations

from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.data.readers.files import FileReader
from busight.data.readers.image import MASK_SUFFIX
from busight.data.sources.folder import existing_folder, natural_order
from busight.errors import DataError
from busight.types import DataWarning, Sample

PUBLISHED_FOLDER = "Dataset_BUSI_with_GT"


def load_busi(argument: str) -> DataSet:
    """List BUSI below a folder (or below ``Dataset_BUSI_with_GT`` inside it).

    Args:
        argument: Path of the folder that holds ``benign``, ``malignant`` and ``normal``.

    Returns:
        One sample per image; several masks of an image belong to one sample. BUSI names no patients.

    Raises:
        DataError: The folder or one of the three classes is missing or empty.
    """
    root = existing_folder(argument, "busi")
    if (root / PUBLISHED_FOLDER).is_dir():
        root = root / PUBLISHED_FOLDER
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    for label in BREAST.names:
        listed, faults = _class_samples(root, label)
        if not listed:
            raise DataError(
                f"{root / label}: no images of class {label}; BUSI needs the folders "
                "benign, malignant and normal (for other layouts use folder:PATH)"
            )
        samples += listed
        problems += faults
    return DataSet(f"busi:{argument}", "busi", tuple(samples), FileReader(root), BREAST, tuple(problems))


def _class_samples(root: Path, label: str) -> tuple[list[Sample], list[DataWarning]]:
    paths = sorted((root / label).glob("*.png"), key=natural_order)
    images = [path for path in paths if not MASK_SUFFIX.search(path.stem)]
    masks: dict[str, list[str]] = {path.stem: [] for path in images}
    problems: list[DataWarning] = []
    for path in paths:
        owner = MASK_SUFFIX.sub("", path.stem)
        if owner == path.stem:
            continue
        relative = path.relative_to(root).as_posix()
        if owner in masks:
            masks[owner].append(relative)
        else:
            problems.append(DataWarning(relative, "mask without its image; left out"))
    samples = []
    for path in images:
        relative = path.relative_to(root).as_posix()
        if not masks[path.stem]:
            problems.append(DataWarning(relative, "image without a mask; kept, its lesion outline counts as unknown"))
        samples.append(
            Sample(
                sample_id=f"{label}/{path.stem}",
                source="busi",
                label=label,
                image_path=relative,
                mask_paths=tuple(masks[path.stem]),
            )
        )
    return samples, problems
