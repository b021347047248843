"""BUS_UC in its official layout: ``Benign`` and ``Malignant``, each with ``images`` and ``masks`` of the same names.

811 images of 256 × 256 (358 benign, 453 malignant), collected from ultrasoundcases.info. The archive's third folder,
``All``, holds the same images without their classes and is not read. Its licence could not be confirmed.

Source:
    Iqbal, Sharif: Memory-efficient transformer network with feature fusion for breast tumor segmentation and
    classification task, Engineering Applications of Artificial Intelligence 127 (2024) 107292. Mendeley Data,
    doi:10.17632/3ksd7w7jkx.
"""

from __future__ import annotations

from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers.files import FileReader
from busight.data.readers.listing import NO_IMAGE, NO_MASK, mask_owner
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import entry, images_in, others_in, published_root
from busight.errors import DataError
from busight.types import DataWarning, Sample


def load_bus_uc(argument: str) -> DataSet:
    """List BUS_UC below a folder (or below ``BUS_UC`` inside it). It names no patients.

    Args:
        argument: Path of the folder that holds ``Benign`` and ``Malignant``.

    Raises:
        DataError: The folder or one of the two classes is missing or empty.
    """
    given = existing_folder(argument, "bus_uc")
    root = published_root(given, *LESIONS.names)
    if root is None:
        raise DataError(
            f"{given}: no folders Benign and Malignant; bus_uc:PATH needs both, each with images and masks (for other "
            "layouts use folder:PATH)"
        )
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    for label in LESIONS.names:
        listed, told = _class_samples(root, label)
        samples += listed
        problems += told
    return DataSet(f"bus_uc:{argument}", "bus_uc", tuple(samples), FileReader(root), LESIONS, tuple(problems))


def _class_samples(root: Path, label: str) -> tuple[list[Sample], list[DataWarning]]:
    folder = entry(root, label) or root / label
    images = _files(folder, "images")
    if not images:
        raise DataError(f"{folder / 'images'}: no images of class {label}; unpack the whole archive")
    problems = others_in(root, [path for name in ("images", "masks") if (path := entry(folder, name)) is not None])
    stems = {path.stem for path in images}
    masks: dict[str, list[str]] = {}
    for path in _files(folder, "masks"):
        owner = path.stem if path.stem in stems else mask_owner(path.stem, stems)
        if owner is None:
            problems.append(DataWarning(path.relative_to(root).as_posix(), NO_IMAGE))
        else:
            masks.setdefault(owner, []).append(path.relative_to(root).as_posix())
    samples: dict[str, Sample] = {}
    for path in images:
        relative, name = path.relative_to(root).as_posix(), f"{label}/{path.stem}"
        if name in samples:
            problems.append(DataWarning(relative, f"named as {samples[name].image_path}; left out"))
            continue
        samples[name] = Sample(name, "bus_uc", label, relative, tuple(masks.get(path.stem, ())))
        if not samples[name].mask_paths:
            problems.append(DataWarning(relative, NO_MASK))
    return list(samples.values()), problems


def _files(folder: Path, name: str) -> list[Path]:
    inner = entry(folder, name)
    return [] if inner is None or not inner.is_dir() else images_in(inner)
