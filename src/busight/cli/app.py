"""``busight``: assembles the commands. Each lives in its own file and imports what is heavy when it runs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from busight._version import __version__
from busight.cli import (
    bench,
    card,
    compare,
    crossval,
    data,
    doctor,
    enhance,
    ensemble,
    evaluate,
    explain,
    export,
    leakage,
    models,
    pack,
    predict,
    recalibrate,
    recipes,
    repeat,
    run,
    segment,
    serve,
    tune,
    verify,
)
from busight.io.text import one_line

_UsageError: Any = typer.BadParameter.__mro__[1]
"""Typer exports no name for it, and brings click of its own in some versions."""


class OneLineGroup(TyperGroup):
    """Reports a wrong call in one line: Typer writes four, with the usage above the reason."""

    def main(self, args: Sequence[str] | None = None, standalone_mode: bool = True, **more: Any) -> Any:  # type: ignore[override]
        """Run the command line; exit code 2 for a wrong call."""
        try:
            code = super().main(args, standalone_mode=False, **more)
        except _UsageError as error:
            if not standalone_mode:
                raise
            reason, command = error.format_message(), error.ctx.command_path if error.ctx else "busight"
            if "\n" in reason:  # no error: the help of a group that was called without a command
                error.show()
            else:
                name = command.removeprefix("busight").strip()
                typer.echo(
                    f"busight: {name + ': ' if name else ''}{one_line(reason.rstrip('.'))}; see {command} --help",
                    err=True,
                )
            sys.exit(error.exit_code)
        if standalone_mode:
            sys.exit(code)
        return code


app = typer.Typer(
    name="busight",
    cls=OneLineGroup,
    help="Train, evaluate and explain breast-ultrasound classifiers and segmenters. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.command)
app.command("evaluate")(evaluate.command)
app.command("crossval")(crossval.command)
app.command("repeat")(repeat.command)
app.command("ensemble")(ensemble.command)
app.command("compare")(compare.command)
app.command("leakage")(leakage.command)
app.command("enhance")(enhance.command)
app.command("segment")(segment.command)
app.command("predict")(predict.command)
app.command("explain")(explain.command)
app.command("recalibrate")(recalibrate.command)
app.command("card")(card.command)
app.command("export")(export.command)
app.command("pack")(pack.command)
app.command("tune")(tune.command)
app.command("models")(models.command)
app.command("verify")(verify.command)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.add_typer(serve.app, name="serve")
app.command("recipes")(recipes.command)
app.command("doctor")(doctor.command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"busight {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line: exit code 0 for success, 1 for an error, 2 for a wrong call."""
    _make_streams_sound()
    app()


def _make_streams_sound() -> None:
    """Ignore text for a closed stream, and escape characters that a stream's encoding does not have."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - open as long as the program runs
        elif isinstance(stream, io.TextIOWrapper):
            # In a JSON record an escape stands for the same character.
            stream.reconfigure(errors="backslashreplace")
