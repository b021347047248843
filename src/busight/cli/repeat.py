"""``busight repeat``: repeated hold-out, one recipe with several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import command_line, how_to_go_on, one_line_errors, require_training
from busight.cli.outputs import folder_of_now
from busight.cli.run import DataOption, JobsOption, OutOption, RecipeArgument, ResumeOption, SetOption
from busight.io.claim import claimed_folder


def command(
    recipe: RecipeArgument = "paper",
    data: DataOption = "",
    seeds: Annotated[int, typer.Option("--seeds", help="How many, each with another split and training.")] = 10,
    out: OutOption = None,
    set_: SetOption = None,
    jobs: JobsOption = 1,
    resume: ResumeOption = False,
) -> None:
    """Run a recipe with seed after seed: how much of its score is luck of split and training."""
    folder = out or folder_of_now(f"repeat-{Path(recipe).stem}")
    with one_line_errors(hint=how_to_go_on(folder, "plan.json")), claimed_folder(folder, resume):
        require_training()
        from busight.cli.console import ConsoleProgress
        from busight.experiments.repeat import REPEAT_FILE, repeat_seeds
        from busight.recipes.load import load_recipe
        from busight.report.text.repeats import repeat_lines

        chosen = load_recipe(recipe, set_ or [], data)
        with ConsoleProgress() as progress:
            record = repeat_seeds(
                chosen, folder, seeds, n_jobs=jobs, resume=resume, command=command_line(), progress=progress
            )
        for line in repeat_lines(record):
            typer.echo(line)
        typer.echo(f"metrics: {folder / REPEAT_FILE}")
