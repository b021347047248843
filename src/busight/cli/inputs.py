"""The input images that a user names, and the note on mask files that were left out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import one_line


def input_path(text: str) -> Path:
    """Return the path that an argument names.

    Raises:
        typer.BadParameter: It is empty, as from an unset variable of a shell: it would mean the current folder.
    """
    if not text:
        raise typer.BadParameter("an empty path; name a file or a folder")
    return Path(text)


PathsArgument = Annotated[
    list[Path], typer.Argument(parser=input_path, metavar="PATHS...", help="Image files, DICOM files, folders.")
]


def listed(paths: list[Path]) -> list[Path]:
    """Return the image files to read, and report on stderr how many masks and other files were left out below folders.

    Raises:
        DataError: A path is a bundle or a result.
    """
    from busight.data.readers.inputs import list_files
    from busight.data.readers.listing import left_out

    files, masks, others = list_files(paths)
    if masks:
        typer.echo(f"busight: {len(masks)} mask files left out, e.g. {one_line(str(masks[0]))}", err=True)
    if text := left_out(map(str, others)):
        typer.echo(f"busight: {one_line(text)}", err=True)
    return files
