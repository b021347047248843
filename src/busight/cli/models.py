"""``busight models``: the installed models."""

from __future__ import annotations

import typer

from busight.cli.guard import one_line_errors
from busight.io.text import one_line


def command() -> None:
    """List the installed models: what each tells apart, what it was trained on, where it lies."""
    with one_line_errors():
        from busight.errors import BusightError
        from busight.model.bundle.load import load_bundle
        from busight.model.installed import FOLDER_VARIABLE, READY, installed_models

        models = installed_models()
        if not models:
            typer.echo(f"no model is installed: this installation came without {READY}; {FOLDER_VARIABLE} names more")
            raise typer.Exit(1)
        damaged = False
        for name, folder in models.items():
            try:
                card = load_bundle(folder).card
            except (BusightError, OSError) as error:
                damaged = True
                typer.echo(f"{one_line(name):<16} cannot be used: {one_line(str(error))}")
                continue
            training = card.training
            names = ", ".join(source.name for source in training.sources)
            told = f"{', '.join(card.labels.names)}; trained on {training.images} images of {names or training.source}"
            note = " (used where none is named)" if name == READY else ""
            typer.echo(f"{one_line(name):<16} {told}{note}\n{'':<16} {one_line(str(folder))}")
        raise typer.Exit(int(damaged))
