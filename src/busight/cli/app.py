"""``busight``: assembles the commands. Each lives in its own file and imports what is heavy when it runs."""

from __future__ import annotations

import typer

from busight._version import __version__
from busight.cli import data, doctor, evaluate, predict, recipes, run, train

app = typer.Typer(
    name="busight",
    help="Breast-ultrasound AI that people can believe. Research use only, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.command)
app.command("train")(train.command)
app.command("evaluate")(evaluate.command)
app.command("predict")(predict.command)
app.add_typer(data.app, name="data")
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
    """Run the command line: exit code 0 when all went well, 1 for an error, 2 for a wrong call."""
    app()
