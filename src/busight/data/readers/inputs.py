"""From the paths that a user names to the frames to predict, one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from busight.data.readers.image import IMAGE_SUFFIXES, MASK_SUFFIX, read_grey
from busight.errors import DataError, ImageError
from busight.types import Failure, ImageRef, InputImage

_RESULTS = ("card.json", "bundle/card.json", "metrics.json", "plan.json", "lesions.csv")
"""What bundles, runs, evaluations, cross-validations and segmentations hold."""


def list_files(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Return the files to read: those named, and below folders all pictures and DICOM files, in order.

    A named file that does not exist is returned too, and below folders a dead link named like a picture and a folder
    that may not be opened: reading them gives the reason.

    Returns:
        The files to read, and the mask files below folders that were left out (``NAME_mask.png`` beside ``NAME.png``).

    Raises:
        DataError: A path is a bundle or the folder of a run: its figures are no patients' pictures.
    """
    found: list[Path] = []
    masks: list[Path] = []
    for path in paths:
        if _is_result(path):
            raise DataError(
                f"{path}: is a bundle or a result, not pictures; name one bundle first, then pictures or folders"
            )
        if os.access(path, os.X_OK) and path.is_dir():
            results: set[Path] = set()
            for inside in sorted(path.rglob("*")):
                if inside.is_dir() and _is_result(inside):
                    results.add(inside)
                if _is_wanted(inside) and results.isdisjoint(inside.parents):
                    (masks if _is_mask(inside) else found).append(inside)
        else:
            found.append(path)
    return found, masks


def _is_result(path: Path) -> bool:
    try:
        return any((path / name).is_file() for name in _RESULTS)
    except OSError:  # a name too long, or a folder that may not be looked into: reading it gives the reason
        return False


def _is_mask(path: Path) -> bool:
    owner, count = MASK_SUFFIX.subn("", path.stem)
    return bool(count) and path.with_name(f"{owner}{path.suffix}").is_file()


def _is_wanted(path: Path) -> bool:
    from busight.data.readers.dicom import is_dicom

    if not os.access(path.parent, os.X_OK):
        return False
    if path.is_dir():
        return not os.access(path, os.R_OK | os.X_OK)
    return path.suffix.lower() in IMAGE_SUFFIXES or (path.is_file() and is_dicom(path))


def read_frames(path: Path) -> Iterator[InputImage | Failure]:
    """Yield the frames of a file, or the reason why there are none."""
    from busight.data.readers.dicom import is_dicom

    try:
        if os.access(path, os.R_OK) and path.is_file() and is_dicom(path):
            yield from _dicom_frames(path)
        else:
            yield InputImage(read_grey(path), ImageRef(str(path)))
    except ImageError as error:
        yield Failure(ImageRef(str(path)), str(error))


def _dicom_frames(path: Path) -> Iterator[InputImage | Failure]:
    from busight.data.readers.dicom import read_frames as read_dicom_frames

    frames = read_dicom_frames(path)
    origin = (0, 0) if frames.region is None else (frames.region.top, frames.region.left)
    for index in range(frames.n_frames):
        try:
            image = frames.ultrasound(index)
        except ImageError as error:
            yield Failure(ImageRef(str(path), index), str(error))
            continue
        yield InputImage(image, ImageRef(str(path), index, pixel_spacing_mm=frames.pixel_spacing_mm, origin=origin))
