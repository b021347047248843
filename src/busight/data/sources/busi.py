"""BUSI in its official layout: one folder per class, ``NAME (k).png`` beside ``NAME (k)_mask.png``, ``..._mask_1.png``.

Source:
    Al-Dhabyani, Gomaa, Khaled, Fahmy: Dataset of breast ultrasound images, Data in Brief 28 (2020) 104863.
"""

from __future__ import annotations

from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.data.readers.files import FileReader
from busight.data.readers.listing import NO_IMAGE, NO_MASK, has_image_suffix, is_mask_name, left_out, visible_files
from busight.data.sources.folder import existing_folder, masks_by_owner, natural_order
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
    others = [path.relative_to(root) for path in visible_files(root)]
    if beside := sorted(path.as_posix() for path in others if path.parts[0] not in BREAST.names):
        text = f"{len(beside)} files outside benign, malignant and normal were left out, e.g. {beside[0]}"
        problems.append(DataWarning(".", text))
    return DataSet(f"busi:{argument}", "busi", tuple(samples), FileReader(root), BREAST, tuple(problems))


def _class_samples(root: Path, label: str) -> tuple[list[Sample], list[DataWarning]]:
    listed = sorted(visible_files(root / label), key=natural_order)
    paths = [path for path in listed if has_image_suffix(path)]
    images = [path for path in paths if not is_mask_name(path)]
    masks, orphans = masks_by_owner(images, [path for path in paths if is_mask_name(path)], root)
    problems = [DataWarning(mask, NO_IMAGE) for mask in orphans]
    if text := left_out(path.relative_to(root).as_posix() for path in listed if not has_image_suffix(path)):
        problems.append(DataWarning(label, text))
    samples: dict[str, Sample] = {}
    for path in images:
        relative = path.relative_to(root).as_posix()
        sample_id = path.relative_to(root).with_suffix("").as_posix()
        if sample_id in samples:
            problems.append(DataWarning(relative, f"named as {samples[sample_id].image_path}; left out"))
            continue
        owned = tuple(masks.get(path.with_suffix(""), ()))
        if not owned:
            problems.append(DataWarning(relative, NO_MASK))
        samples[sample_id] = Sample(
            sample_id=sample_id, source="busi", label=label, image_path=relative, mask_paths=owned
        )
    return list(samples.values()), problems
