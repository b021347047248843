"""From the paths that a user names to the frames to predict, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from busight.data.read_image import IMAGE_SUFFIXES, read_grey
from busight.errors import ImageError
from busight.types import Failure, Image


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture to predict.

    Attributes:
        path: The file as the user named it.
        frame: Index within a multi-frame file.
        image: uint8 HW; of a DICOM object only the ultrasound region, where it names one.
        pixel_spacing_mm: Row and column spacing where known.
        origin: Row and column of the image's first pixel in the file's frame.
    """

    path: str
    frame: int
    image: Image
    pixel_spacing_mm: tuple[float, float] | None
    origin: tuple[int, int] = (0, 0)


def list_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files to read: those named, and below folders all pictures and DICOM files, in order.

    A named file that does not exist is returned too: reading it gives the reason.
    """
    from busight.data.read_dicom import is_dicom

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file())
            found += [p for p in inside if p.suffix.lower() in IMAGE_SUFFIXES or is_dicom(p)]
        else:
            found.append(path)
    return found


def read_frames(path: Path) -> Iterator[Frame | Failure]:
    """Yield the frames of a file, or the reason why there are none."""
    from busight.data.read_dicom import is_dicom

    try:
        if path.is_file() and is_dicom(path):
            yield from _dicom_frames(path)
        else:
            yield Frame(str(path), 0, read_grey(path), None)
    except ImageError as error:
        yield Failure(str(path), str(error))


def _dicom_frames(path: Path) -> Iterator[Frame | Failure]:
    from busight.data.read_dicom import read_frames as read_dicom_frames

    frames = read_dicom_frames(path)
    origin = (0, 0) if frames.region is None else (frames.region.top, frames.region.left)
    for index in range(frames.n_frames):
        try:
            image = frames.ultrasound(index)
        except ImageError as error:
            yield Failure(str(path), str(error), index)
            continue
        yield Frame(str(path), index, image, frames.pixel_spacing_mm, origin)
