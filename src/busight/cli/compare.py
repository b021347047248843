"""``busight compare``: two runs on the same cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import one_line_errors


def command(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="Folder of a run, evaluation or cross-validation.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another, tested on the same images.")],
    out: Annotated[Path | None, typer.Option("--out", help="New JSON file for every difference and test.")] = None,
) -> None:
    """Compare two runs case by case: differences with intervals, DeLong, McNemar, and a plain sentence."""
    with one_line_errors():
        from busight.experiments.compare import compare_runs
        from busight.io.atomic import require_new_file, write_json
        from busight.report.text.comparison import comparison_lines

        if out is not None:
            require_new_file(out)
        comparison = compare_runs(first, second)
        if out is not None:
            write_json(out, comparison.document(), new=True)
        for line in comparison_lines(comparison):
            typer.echo(line)
