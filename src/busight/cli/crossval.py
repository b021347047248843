"""``busight crossval``: every image tested once in each repeat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import command_line, how_to_go_on, one_line_errors, require_training
from busight.cli.outputs import folder_of_now
from busight.cli.run import DataOption, JobsOption, OutOption, RecipeArgument, ResumeOption, SetOption
from busight.io.claim import claimed_folder

if TYPE_CHECKING:
    from busight.results.crossval_folder import By


def command(
    recipe: RecipeArgument = "default",
    data: DataOption = "",
    folds: Annotated[
        int | None, typer.Option("--folds", help="Parts; each is tested once in a repeat. 5, or one a data set.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", help="How often, with other folds and seeds.")] = 1,
    by: Annotated[
        str,
        typer.Option("--by", help="group, image (copies may cross), or source (leave one data set out)."),
    ] = "group",
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", help="With --by source: a data set to leave out; may be repeated [each in turn]."),
    ] = None,
    out: OutOption = None,
    set_: SetOption = None,
    jobs: JobsOption = 1,
    resume: ResumeOption = False,
) -> None:
    """Cross-validate a recipe: scores over all images with intervals over groups and repeats."""
    folder = out or folder_of_now(f"crossval-{Path(recipe).stem}")
    with one_line_errors(hint=how_to_go_on(folder, "plan.json")), claimed_folder(folder, resume):
        require_training()
        from busight.cli.console import ConsoleProgress
        from busight.errors import ConfigError
        from busight.experiments.crossval import crossval
        from busight.recipes.load import load_recipe
        from busight.report.text.headline import headline
        from busight.report.write import write_report
        from busight.results.crossval_folder import Plan

        chosen_by = _known(by)
        if chosen_by == "source" and folds is not None:
            raise ConfigError("--folds: --by source has one fold a data set; leave --folds away")
        if leave_out and chosen_by != "source":
            raise ConfigError("--leave-out: goes with --by source alone; leave it away")
        plan = Plan(5 if folds is None else folds, repeats, chosen_by, tuple(dict.fromkeys(leave_out or ())))
        chosen = load_recipe(recipe, set_ or [], data)
        with ConsoleProgress() as progress:
            record = crossval(
                chosen, folder, plan, n_jobs=jobs, resume=resume, command=command_line(), progress=progress
            )
            progress.stage("report")
            write_report(record, folder)
        for line in headline(record.metrics):
            typer.echo(line)
        if record.ensemble is not None:
            typer.echo(f"\nensemble of the {repeats} networks that were not trained on an image")
            for line in headline(record.ensemble):
                typer.echo(f"  {line}")
            typer.echo()
        typer.echo(f"metrics: {folder / 'crossval.json'}")
        typer.echo(f"report: {folder / 'report.html'}")


def _known(by: str) -> By:
    from busight.errors import ConfigError

    if by == "group":
        return "group"
    if by == "image":
        return "image"
    if by == "source":
        return "source"
    raise ConfigError(f"--by {by!r}: write group, image or source")
