"""The input images that a user names, and the note on mask files that were left out."""

from __future__ import annotations

from pathlib import Path

import typer

from busight.cli.guard import one_line


def listed(paths: list[Path]) -> list[Path]:
    """Return the image files to read, and report on stderr which mask files below folders were left out.

    Raises:
        DataError: A path is a bundle or a result.
    """
    from busight.data.readers.inputs import list_files

    files, masks = list_files(paths)
    if masks:
        typer.echo(f"busight: {len(masks)} mask files left out, e.g. {one_line(str(masks[0]))}", err=True)
    return files
