"""``busight enhance``: filter chains on pictures, and what every filter does to a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.extras import has_extra, remedy
from busight.cli.guard import one_line, one_line_errors
from busight.cli.pictures import listed


def command(
    paths: Annotated[list[Path] | None, typer.Argument(help="Pictures, DICOM files, folders.")] = None,
    chain: Annotated[
        list[str] | None, typer.Option("--chain", help='Filters, e.g. "median(3) | clahe(2.0)"; repeat with --compare.')
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for pictures and tables.")] = None,
    compare: Annotated[
        str, typer.Option("--compare", metavar="SPEC", help="Measure filters on a data set instead.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="With --compare: images, chosen at random; 0 = all.")
    ] = 0,
) -> None:
    """Enhance pictures by a chain of filters, or measure what every filter does to a data set."""
    with one_line_errors():
        from busight.errors import ConfigError
        from busight.io.atomic import require_free_folder

        if bool(compare) == bool(paths):
            raise ConfigError("enhance: name pictures with --chain, or a data set with --compare SPEC")
        if out is None:
            raise ConfigError("enhance: --out FOLDER is needed")
        require_free_folder(out)
        if compare:
            _compare(compare, chain or [], out, limit)
        else:
            _enhance(paths or [], chain or [], out)


def _enhance(paths: list[Path], chains: list[str], out: Path) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.data.readers.inputs import read_frames
    from busight.errors import ConfigError
    from busight.experiments.bench.filters import write_enhanced
    from busight.preprocess.enhance.chain import parse_chain
    from busight.report.overlay import image_file_name
    from busight.types import Failure

    if len(chains) != 1 or not (steps := parse_chain(chains[0])):
        raise ConfigError('enhance: give one --chain with a filter, e.g. --chain "median(3) | clahe(2.0)"')
    panels = has_extra("report")
    files = listed(paths)
    failed, done = 0, 0
    with ConsoleProgress() as progress:
        for number, path in enumerate(files, start=1):
            for frame in read_frames(path):
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
        raise ConfigError(f"{paths[0]}: no picture or DICOM file in it; name files or another folder")
    shown = f"before and after: {out / 'panels'}" if panels else f"before and after needs {remedy('report')}"
    typer.echo(f"enhanced: {done} pictures, {out / 'images'}; {shown}")
    if failed:
        raise typer.Exit(1)


def _compare(spec: str, chains: list[str], out: Path, limit: int) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.data.sources.catalogue import load
    from busight.experiments.bench.filters import compare_filters, comparison_csv
    from busight.io.atomic import write_text
    from busight.preprocess.enhance.chain import FILTERS
    from busight.report.figures.filter_sheet import comparison_lines, write_filter_sheet

    with ConsoleProgress() as progress:
        found = compare_filters(load(spec), chains or list(FILTERS), limit=limit, progress=progress)
        write_text(out / "filters.csv", comparison_csv(found))
        write_filter_sheet(found, out / "filters.png")
    for line in comparison_lines(found):
        typer.echo(line)
    typer.echo(f"table: {out / 'filters.csv'}; picture: {out / 'filters.png'}")
