"""``busight enhance``: filter chains on images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.extras import has_extra, remedy
from busight.cli.guard import one_line_errors
from busight.cli.inputs import PathsArgument, listed, read_frames_aloud
from busight.io.claim import claimed_folder
from busight.io.text import one_line

if TYPE_CHECKING:
    from busight.preprocess.enhance.chain import Step


def command(
    paths: PathsArgument,
    chain: Annotated[str, typer.Option("--chain", help='Filters, e.g. "median(3) | clahe(2.0)".')],
    out: Annotated[Path, typer.Option("--out", help="New folder for the enhanced images.")],
) -> None:
    """Enhance images by a chain of filters."""

    def what_is_left() -> str:
        is_begun = (out / "images").is_dir()
        return f"the images so far are in {out / 'images'}" if is_begun else "nothing was written yet"

    with one_line_errors(hint=what_is_left), claimed_folder(out):
        from busight.errors import ConfigError
        from busight.preprocess.enhance.chain import parse_chain

        if not (steps := parse_chain(chain)):
            raise ConfigError('enhance: --chain names no filter; write e.g. --chain "median(3) | clahe(2.0)"')
        _enhance(paths, steps, out)


def _enhance(paths: list[Path], steps: tuple[Step, ...], out: Path) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.errors import ConfigError
    from busight.experiments.bench.filters import write_enhanced
    from busight.report.overlay import image_file_name
    from busight.types import Failure

    panels = has_extra("report")
    files = listed(paths)
    failed, done = 0, 0
    with ConsoleProgress() as progress:
        for number, path in enumerate(files, start=1):
            for frame in read_frames_aloud(path):
                if isinstance(frame, Failure):
                    failed += 1
                    typer.echo(f"busight: {one_line(frame.reason)}", err=True)
                    continue
                done += 1
                name = image_file_name(frame.ref.path, frame.ref.frame, done)
                before, after = write_enhanced(frame.pixels, steps, out / "images" / name)
                if panels:
                    from busight.report.figures.filter_sheet import write_panel

                    write_panel(before, after, " | ".join(map(str, steps)), out / "panels" / name)
            progress.tick(number, len(files))
    if not done and not failed:
        raise ConfigError(f"{paths[0]}: no image or DICOM file in it; name files or another folder")
    shown = f"before and after: {out / 'panels'}" if panels else f"before and after needs {remedy('report')}"
    typer.echo(f"enhanced: {done} images, {out / 'images'}; {shown}")
    if failed:
        raise typer.Exit(1)
