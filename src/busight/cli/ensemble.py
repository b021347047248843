"""``busight ensemble``: the networks of a cross-validation as one bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import one_line_errors
from busight.io.claim import claimed_folder


def command(
    crossval: Annotated[Path, typer.Argument(help="Folder of a finished busight crossval.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the bundle.")],
) -> None:
    """Average the networks of a cross-validation in one bundle, for predict and evaluate. Nothing is trained."""
    with one_line_errors(), claimed_folder(out):
        from busight.cli.console import ConsoleProgress
        from busight.experiments.ensemble import make_ensemble

        with ConsoleProgress() as progress:
            card = make_ensemble(crossval, out, progress=progress).card
        typer.echo(f"{card.name}: {out}")
