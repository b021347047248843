"""``busight leakage``: how much a leaking split inflates the metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import command_line, how_to_go_on, one_line_errors, require_training
from busight.cli.outputs import folder_of_now
from busight.cli.run import DataOption, JobsOption, OutOption, RecipeArgument, ResumeOption, SetOption
from busight.io.claim import claimed_folder


def command(
    recipe: RecipeArgument = "default",
    data: DataOption = "",
    external: Annotated[str, typer.Option("--external", help="Another data set to test on, e.g. busbra:PATH.")] = "",
    folds: Annotated[int, typer.Option("--folds", help="Parts; each is tested once in a repeat.")] = 5,
    repeats: Annotated[int, typer.Option("--repeats", help="How often, with other folds and seeds.")] = 1,
    out: OutOption = None,
    set_: SetOption = None,
    jobs: JobsOption = 1,
    resume: ResumeOption = False,
) -> None:
    """Run one recipe under folds by image, by group, without conflicting labels, and on other data; one picture."""
    folder = out or folder_of_now(f"leakage-{Path(recipe).stem}")
    with one_line_errors(hint=how_to_go_on(folder, "image/plan.json")), claimed_folder(folder, resume):
        require_training()
        from busight.cli.console import ConsoleProgress
        from busight.experiments.leakage import leakage_study
        from busight.recipes.load import load_recipe
        from busight.report.pages.leakage import leakage_lines, write_leakage_page
        from busight.results.crossval_folder import Plan

        chosen = load_recipe(recipe, set_ or [], data)
        with ConsoleProgress() as progress:
            record = leakage_study(
                chosen,
                folder,
                Plan(folds, repeats),
                external=external,
                n_jobs=jobs,
                resume=resume,
                command=command_line(),
                progress=progress,
            )
            progress.stage("report")
            write_leakage_page(record, folder)
        for line in leakage_lines(record):
            typer.echo(line)
        typer.echo(f"figure: {folder / 'figures' / 'leakage.svg'}")
        typer.echo(f"report: {folder / 'report.html'}")
