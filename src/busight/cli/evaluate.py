"""``busight evaluate``: an existing bundle on another data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import command_line, one_line_errors


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    data: Annotated[str, typer.Option("--data", help="Data spec, e.g. busbra:PATH.")],
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the results [runs/evaluate-TIME].")] = None,
    split: Annotated[Path | None, typer.Option("--split", help="Score only the test part of this split.json.")] = None,
) -> None:
    """Score a bundle on a data set: the same figures and report as a run. Nothing is fitted."""
    from datetime import datetime

    folder = out or Path("runs") / f"evaluate-{datetime.now():%Y%m%d-%H%M%S}"
    with one_line_errors():
        from busight.bundle.load import load_bundle
        from busight.cli.console import ConsoleProgress
        from busight.pipeline.evaluate import evaluate
        from busight.report.headline import headline
        from busight.report.write import write_report

        checked = load_bundle(bundle)
        with ConsoleProgress() as progress:
            record = evaluate(checked, data, folder, split_file=split, command=command_line(), progress=progress)
            progress.stage("report")
            write_report(record, folder)
        for line in headline(record.sheet):
            typer.echo(line)
        typer.echo(f"report: {folder / 'report.html'}")
