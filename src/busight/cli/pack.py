"""``busight pack``: a small copy of a bundle for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import ModelArgument
from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors
from busight.io.claim import claimed_folder


def command(
    named_model: ModelArgument,
    out: Annotated[Path, typer.Option("--out", help="New folder for the packed bundle.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the packed model [that of the bundle].")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="Folder of busight crossval --by source with the same recipe, for the card."),
    ] = None,
) -> None:
    """Pack a bundle for others: graphs in half precision, no training weights, evidence on the card."""
    with one_line_errors(hint=lambda: "nothing was written"), claimed_folder(out):
        require_extra("train", "busight pack")
        from busight.cli.console import ConsoleProgress
        from busight.experiments.evidence import comparison_lines
        from busight.experiments.pack import pack
        from busight.model.bundle.load import load_bundle
        from busight.model.installed import find_model, installed_models
        from busight.model.model import Model

        model = Model.load(find_model(named_model))
        with ConsoleProgress() as progress:
            packed, moved = pack(model, out, name=name, evidence=evidence, progress=progress)
        size = sum(path.stat().st_size for path in out.iterdir())
        typer.echo(
            f"{packed.card.name}: {size / 1e6:.1f} MB; half precision moves its examples' answers by {moved:.2g}"
        )
        installed = installed_models().get(packed.card.name)
        if installed is not None:
            for line in comparison_lines(packed.card, load_bundle(installed).card):
                typer.echo(line)
        typer.echo(f"bundle: {out}; use it with --model {out}")
