"""From the paths that a user names to the images to predict, one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from busight.data.image_ref import ImageRef
from busight.data.image_spec import ImageSpec, Pixels
from busight.data.readers.decode import decode
from busight.data.readers.image import IMAGE_SUFFIXES, MASK_SUFFIX
from busight.data.readers.source import named
from busight.errors import DataError, ImageError
from busight.types import Failure, Image

if TYPE_CHECKING:
    from pydicom import Dataset

_P = TypeVar("_P", Pixels, Image)

_RESULTS = ("card.json", "bundle/card.json", "metrics.json", "plan.json", "lesions.csv")
"""What bundles, runs, evaluations, cross-validations and segmentations hold."""


@dataclass(frozen=True, slots=True, eq=False)
class InputImage(Generic[_P]):
    """One image to predict; ``InputImage[Image]`` where an ``ImageSpec`` was applied, otherwise ``InputImage[Pixels]``.

    Attributes:
        pixels: HW or HWC; of a DICOM object only the ultrasound region, where it names one.
        ref: Where it came from.
        white_level: The value of white where the file states one that its type does not, for ``ImageSpec.apply``.
    """

    pixels: _P
    ref: ImageRef
    white_level: int | None = None


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


@overload
def read_frames(
    source: Path | bytes | Dataset, spec: ImageSpec, name: str = ""
) -> Iterator[InputImage[Image] | Failure]: ...
@overload
def read_frames(
    source: Path | bytes | Dataset, spec: None = None, name: str = ""
) -> Iterator[InputImage[Pixels] | Failure]: ...
def read_frames(
    source: Path | bytes | Dataset, spec: ImageSpec | None = None, name: str = ""
) -> Iterator[InputImage[Image] | InputImage[Pixels] | Failure]:
    """Yield the images of a file, of its content or of a DICOM data set, or the reason why there are none.

    Args:
        source: An image file, a DICOM file, the bytes of either, or a data set in memory.
        spec: What the images become, uint8; None for pixels as they are decoded.
        name: What messages and ``ImageRef.path`` call it; the path, or "image" for bytes and data sets, where empty.
    """
    name = named(source, name)
    try:
        if isinstance(source, Path | bytes) and not _is_dicom_file(source):
            pixels, white_level = decode(source, name)
            yield _input_image(pixels, white_level, ImageRef(name), spec)
        else:
            yield from _dicom_frames(source, spec, name)
    except ImageError as error:
        yield Failure(name, str(error))


def _is_dicom_file(source: Path | bytes) -> bool:
    from busight.data.readers.dicom import is_dicom

    is_readable = isinstance(source, bytes) or (os.access(source, os.R_OK) and source.is_file())
    return is_readable and is_dicom(source)


def _dicom_frames(
    source: Path | bytes | Dataset, spec: ImageSpec | None, name: str
) -> Iterator[InputImage[Image] | InputImage[Pixels] | Failure]:
    from busight.data.readers.dicom import read_dicom

    frames = read_dicom(source, name)
    ref = ImageRef(
        path=name,
        SOPInstanceUID=frames.SOPInstanceUID,
        StudyInstanceUID=frames.StudyInstanceUID,
        SeriesInstanceUID=frames.SeriesInstanceUID,
        pixel_spacing_mm=frames.pixel_spacing_mm,
        origin=(0, 0) if frames.region is None else (frames.region.top, frames.region.left),
    )
    for index in range(frames.n_frames):
        try:
            pixels, white_level = frames.decode(index)
            yield _input_image(pixels, white_level, replace(ref, frame=index), spec)
        except ImageError as error:
            yield Failure(name, str(error), index)


def _input_image(
    pixels: Pixels, white_level: int | None, ref: ImageRef, spec: ImageSpec | None
) -> InputImage[Image] | InputImage[Pixels]:
    if spec is None:
        return InputImage(pixels, ref, white_level)
    return InputImage(spec.apply(pixels, white_level, ref.path), ref)
