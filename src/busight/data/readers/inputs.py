"""From input paths to the images to predict, one at a time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from busight.data.image_spec import CLEARLY_COLOURED, GREY, ImageSpec, colour_share
from busight.data.readers.decode import decode
from busight.data.readers.listing import below, has_image_suffix, is_hidden, is_mask_name, is_result, left_out
from busight.data.readers.source import named
from busight.errors import DataError, ImageError
from busight.io.csv_table import listed_path, read_table
from busight.types import Failure, ImageRef, InputImage

if TYPE_CHECKING:
    from pydicom import Dataset

_TABLES = frozenset({"samples.csv", "labels.csv", "labels.json", "source.json", "DICOMDIR"})
"""Files that describe the images beside them."""


class Listing(NamedTuple):
    """The files that paths name.

    Attributes:
        files: The files to read, in order.
        masks: Mask files below folders, left out: what holds ``_mask`` in its name, and what a ``samples.csv`` in the
            folder names as masks.
        others: Files below folders that are neither images nor DICOM, left out. Hidden files are not among them.
        repeated: Files that several paths name; they are read once.
    """

    files: list[Path]
    masks: list[Path]
    others: list[Path]
    repeated: list[Path]

    def notes(self) -> list[str]:
        """Return what was left out, one line each."""
        notes = [f"{len(self.masks)} mask files left out, e.g. {self.masks[0]}"] if self.masks else []
        others = left_out(map(str, self.others))
        notes += [] if others is None else [others]
        if self.repeated:
            files = "1 file is" if len(self.repeated) == 1 else f"{len(self.repeated)} files are"
            notes.append(f"{files} named more than once and read once, e.g. {self.repeated[0]}")
        return notes


def list_files(paths: Iterable[Path]) -> Listing:
    """Return the files to read: the given ones, and below folders all images and DICOM files, in order.

    A given file that does not exist is returned too, and below folders a dead link with an image's suffix and a folder
    that may not be opened: reading them gives the reason. Hidden files below folders are no images.

    Raises:
        DataError: A path is a bundle or the folder of a run, whose image files are figures.
    """
    listing = Listing([], [], [], [])
    for path in paths:
        if is_result(path):
            raise DataError(
                f"{path}: is a bundle or a result, not images; name images or folders, and a model with --model"
            )
        if os.access(path, os.X_OK) and path.is_dir():
            _list_folder(path, listing)
        else:
            listing.files.append(path)
    counts = Counter(listing.files)
    files, repeated = list(counts), [path for path, count in counts.items() if count > 1]
    return listing._replace(files=files, repeated=repeated)


def _list_folder(folder: Path, listing: Listing) -> None:
    results: set[Path] = set()
    listed_masks = _masks_of_table(folder / "samples.csv")
    for inside in sorted(below(folder)):
        if is_hidden(inside, folder) or not results.isdisjoint(inside.parents):
            continue
        if inside.is_dir() and is_result(inside):
            results.add(inside)
        if _is_wanted(inside):
            is_mask = inside in listed_masks or is_mask_name(inside)
            (listing.masks if is_mask else listing.files).append(inside)
        elif inside.is_file() and inside.name not in _TABLES:
            listing.others.append(inside)


def _masks_of_table(table: Path) -> set[Path]:
    """Return the files in the column ``mask`` of a folder's table; none where there is no such table."""
    try:
        cells = [row.cells.get("mask", "") for row in read_table(table, ("path", "label", "mask")).rows]
    except DataError:  # no table of samples: the images are found by their suffixes
        return set()
    return {
        table.parent / listed_path(table, name.strip()) for cell in cells for name in cell.split(";") if name.strip()
    }


def _is_wanted(path: Path) -> bool:
    from busight.data.readers.dicom import is_dicom

    if not os.access(path.parent, os.X_OK):
        return False
    if path.is_dir():
        return not os.access(path, os.R_OK | os.X_OK)
    return has_image_suffix(path) or (path.is_file() and is_dicom(path))


def read_frames(
    source: Path | bytes | Dataset, spec: ImageSpec = GREY, name: str = ""
) -> Iterator[InputImage | Failure]:
    """Yield the images of a file, of its content or of a DICOM data set, or a failure with its reason.

    Args:
        source: An image file, a DICOM file, the bytes of either, or a data set in memory.
        spec: The image spec of the model.
        name: Its name in messages and ``ImageRef.path``; empty for the path.
    """
    ref = ImageRef(name or (str(source) if isinstance(source, Path) else ""))
    name = named(source, name)
    try:
        if isinstance(source, Path | bytes) and not _is_dicom_file(source):
            pixels, white_level, warnings = decode(source, name)
            coloured = colour_share(pixels, CLEARLY_COLOURED)
            yield InputImage(spec.apply(pixels, white_level, name), ref, warnings, coloured)
        else:
            yield from _dicom_frames(source, spec, name, ref)
    except ImageError as error:
        yield Failure(ref, str(error))


def _is_dicom_file(source: Path | bytes) -> bool:
    from busight.data.readers.dicom import is_dicom

    is_readable = isinstance(source, bytes) or (os.access(source, os.R_OK) and source.is_file())
    return is_readable and is_dicom(source)


def _dicom_frames(
    source: Path | bytes | Dataset, spec: ImageSpec, name: str, ref: ImageRef
) -> Iterator[InputImage | Failure]:
    from busight.data.readers.dicom import read_dicom

    frames = read_dicom(source, name)
    for index in range(frames.n_frames):
        frame = replace(
            ref,
            frame=index,
            SOPInstanceUID=frames.SOPInstanceUID,
            StudyInstanceUID=frames.StudyInstanceUID,
            SeriesInstanceUID=frames.SeriesInstanceUID,
            pixel_spacing_mm=frames.pixel_spacing_mm(index),
            origin=(0, 0) if (region := frames.geometry(index).region) is None else (region.top, region.left),
            scale=frames.scale(index),
        )
        try:
            pixels, white_level, warnings = frames.decode(index)
            coloured = colour_share(pixels, CLEARLY_COLOURED)
            yield InputImage(spec.apply(pixels, white_level, name), frame, warnings, coloured)
        except ImageError as error:
            yield Failure(frame, str(error))
