"""``busight run``: train, evaluate and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import command_line, how_to_go_on, one_line_errors, require_training
from busight.cli.outputs import folder_of_now
from busight.io.claim import claimed_folder

RecipeArgument = Annotated[str, typer.Argument(help="A recipe's name (see `busight recipes`) or a TOML file.")]
DataOption = Annotated[str, typer.Option("--data", help="Data spec, e.g. busi:PATH or phantom:300.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="New folder for the results [runs/RECIPE-TIME].")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Override: key=value, e.g. train.epochs=5.")]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, help="Trainings at a time, each on its share of the cores.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on in --out after an interruption.")]


def command(
    recipe: RecipeArgument = "default",
    data: DataOption = "",
    out: OutOption = None,
    set_: SetOption = None,
    split: Annotated[Path | None, typer.Option("--split", help="Use this split.json instead of making one.")] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html and report.pdf too.")] = True,
    resume: ResumeOption = False,
) -> None:
    """Train by a recipe and evaluate on the test subset: bundle, cases, metrics and report."""
    folder = out or folder_of_now(Path(recipe).stem)
    with one_line_errors(hint=how_to_go_on(folder, "recipe.toml")), claimed_folder(folder, resume):
        require_training()
        from busight.cli.console import ConsoleProgress
        from busight.experiments.run import finish, run
        from busight.recipes.load import load_recipe
        from busight.report.text.headline import headline

        chosen = load_recipe(recipe, set_ or [], data)
        with ConsoleProgress() as progress:
            record = run(
                chosen,
                folder,
                split_file=split,
                resume=resume,
                keep_checkpoints=True,
                command=command_line(),
                progress=progress,
            )
            if report:
                from busight.report.write import write_report

                progress.stage("report")
                write_report(record, folder)
            finish(folder)
        for line in headline(record.metrics):
            typer.echo(line)
        typer.echo(f"bundle: {folder / 'bundle'}")
        if report:
            typer.echo(f"report: {folder / 'report.html'}")
