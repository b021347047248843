"""The input images that a user names, and the note on mask files that were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.io.text import one_line

if TYPE_CHECKING:
    from busight.data.image_spec import ImageSpec
    from busight.results.record_file import Written
    from busight.types import Failure, InputImage


def input_path(text: str) -> Path:
    """Return the path that an argument names; see `input_address`."""
    return Path(input_address(text))


def input_address(text: str) -> str:
    """Return the path or address that an argument names.

    Raises:
        typer.BadParameter: It is empty, as from an unset variable of a shell: it would mean the current folder.
    """
    if not text:
        raise typer.BadParameter("an empty path; name a file or a folder")
    return text


PathsArgument = Annotated[
    list[Path], typer.Argument(parser=input_path, metavar="PATHS...", help="Image files, DICOM files, folders.")
]


def listed(paths: list[Path]) -> list[Path]:
    """Return the image files to read, and report on stderr how many masks and other files were left out below folders.

    Raises:
        DataError: A path is a bundle or a result.
    """
    from busight.data.readers.inputs import list_files

    listing = list_files(paths)
    for note in listing.notes():
        typer.echo(f"busight: {one_line(note)}", err=True)
    return listing.files


def frames_left(
    files: list[Path], before: Written, tick: Callable[[int, int], None], spec: ImageSpec | None = None
) -> Iterator[InputImage | Failure]:
    """Yield the images of files that have no record yet, as `read_frames_aloud` does.

    Args:
        files: The files of the call.
        before: What an interrupted call has written.
        tick: Called with (done, total) after each file.
        spec: The image spec of the model; None for 8-bit grey.
    """
    rest = before.rest(files)
    for number, path in enumerate(rest, start=len(files) - len(rest) + 1):
        for frame in read_frames_aloud(path, spec):
            if not before.holds(frame.ref.path, frame.ref.frame):
                yield frame
        tick(number, len(files))


def read_frames_aloud(path: Path, spec: ImageSpec | None = None) -> Iterator[InputImage | Failure]:
    """Yield the images of a file as ``read_frames`` does, and report on stderr, once a file, what was assumed of it.

    Args:
        path: The file.
        spec: The image spec of the model; None for 8-bit grey.
    """
    from busight.data.image_spec import GREY
    from busight.data.readers.inputs import read_frames
    from busight.types import InputImage

    told: set[str] = set()
    for frame in read_frames(path, spec or GREY):
        if isinstance(frame, InputImage):
            for warning in frame.warnings:
                if warning not in told:
                    typer.echo(f"busight: {one_line(f'{path}: {warning}')}", err=True)
            told.update(frame.warnings)
        yield frame
