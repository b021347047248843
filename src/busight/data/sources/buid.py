"""BUID ("Breast Ultrasound Images Database") in its official layout: ``Benign`` and ``Malignant``.

Each holds ``1 Benign Image.bmp``, ``1 Benign Mask.tif`` and ``1 Benign Lesion.bmp``, for 109 benign and 123 malignant
cases. ``Lesion.bmp`` is a picture of the lesion for the eye. The licence could not be confirmed.

Source:
    Abbasian Ardakani, Mohammadi, Mirza-Aghazadeh-Attari, Acharya: An open-access breast lesion ultrasound image
    database: Applicable in artificial intelligence studies, Computers in Biology and Medicine 152 (2023) 106438.
    https://qamebi.com/breast-ultrasound-images-database
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers.files import FileReader
from busight.data.readers.image import IMAGE_SUFFIXES, read_grey
from busight.data.readers.listing import NO_IMAGE, NO_MASK
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import below, entry, others_in, published_root
from busight.errors import DataError, ImageError
from busight.types import DataWarning, Sample

_NAME = re.compile(r"(\d+) *(benign|malignant) *(image|mask|lesion)(?![a-z]).*", re.IGNORECASE)


def load_buid(argument: str) -> DataSet:
    """List BUID below a folder. It names no patients.

    Several masks of a case are joined. Where a case has no ``Mask`` file, its ``Lesion`` file is the mask if it has two
    values only; a picture is none.

    Args:
        argument: Path of the folder that holds ``Benign`` and ``Malignant``.

    Raises:
        DataError: The folder or one of the two classes is missing or empty.
    """
    given = existing_folder(argument, "buid")
    root = published_root(given, *LESIONS.names)
    if root is None:
        raise DataError(
            f"{given}: no folders Benign and Malignant; buid:PATH needs both, with files such as 1 Benign Image.bmp"
        )
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    for label in LESIONS.names:
        listed, told = _class_samples(root, label)
        if not listed:
            raise DataError(
                f"{root / label.capitalize()}: no image named as 1 {label.capitalize()} Image.bmp; buid:PATH needs the "
                "names as published (for other layouts use folder:PATH)"
            )
        samples += listed
        problems += told
    return DataSet(f"buid:{argument}", "buid", tuple(samples), FileReader(root), LESIONS, tuple(problems))


def _class_samples(root: Path, label: str) -> tuple[list[Sample], list[DataWarning]]:
    folder = entry(root, label) or root / label
    files: dict[tuple[int, str], list[str]] = {}
    problems = others_in(root, [folder])
    for path in below(folder, IMAGE_SUFFIXES):
        relative = path.relative_to(root).as_posix()
        match = _NAME.fullmatch(path.stem)
        if match is None or match[2].lower() != label:
            example = f"1 {label.capitalize()} Image.bmp"
            problems.append(DataWarning(relative, f"not named as {example} in a folder {label}; left out"))
        else:
            files.setdefault((int(match[1]), match[3].lower()), []).append(relative)
    samples: list[Sample] = []
    for number in sorted({number for number, _ in files}):
        images, masks = files.get((number, "image"), []), files.get((number, "mask"), [])
        if not images:
            problems += [DataWarning(mask, NO_IMAGE) for mask in masks]
            continue
        problems += [DataWarning(more, f"case {number} has an image already; left out") for more in images[1:]]
        masks = masks or [path for path in files.get((number, "lesion"), []) if _is_mask(root / path)]
        if not masks:
            problems.append(DataWarning(images[0], NO_MASK))
        samples.append(Sample(f"{label}/{number}", "buid", label, images[0], tuple(masks)))
    return samples, problems


def _is_mask(path: Path) -> bool:
    """Return whether a ``Lesion`` file has two values at most, as a mask has and a picture has not."""
    try:
        return len(np.unique(read_grey(path))) <= 2
    except ImageError:
        return False
