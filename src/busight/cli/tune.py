"""``busight tune``: hyper-parameters of a recipe, on grouped inner folds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors, require_training
from busight.cli.outputs import folder_of_now
from busight.cli.run import DataOption, RecipeArgument, SetOption
from busight.io.claim import claimed_folder


def command(
    recipe: RecipeArgument,
    data: DataOption = "",
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials of the study in all.")] = 20,
    storage: Annotated[
        str, typer.Option("--storage", help="Database, e.g. sqlite:///FILE, postgresql://... [study.db in --out].")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for best.toml and trials.csv [runs/tune-RECIPE-TIME].")
    ] = None,
    set_: SetOption = None,
) -> None:
    """Search the recipe's [tune.space] by the mean of a metric over inner folds; the test subset is never read."""
    folder = out or folder_of_now(f"tune-{Path(recipe).stem}")

    def advice() -> str:
        return f"finished trials stay; go on with the same command and --out {folder}"

    with one_line_errors(hint=advice):
        require_training()
        require_extra("tune", "tune")
        from busight.cli.console import ConsoleProgress
        from busight.experiments.tune import BEST_FILE, TRIALS_FILE, tune
        from busight.recipes.load import load_recipe
        from busight.results.plan_file import PLAN_FILE, open_planned_folder, write_plan

        chosen = load_recipe(recipe, set_ or [], data)
        plan = {"tune": chosen.model_dump(mode="json")}
        begun = (folder / PLAN_FILE).is_file()
        with claimed_folder(folder, begun), ConsoleProgress() as progress:
            open_planned_folder(folder, plan, "search", begun)
            write_plan(folder, plan)
            database = storage or f"sqlite:///{folder.absolute() / 'study.db'}"
            found = tune(chosen, folder, database, trials, progress=progress)
        typer.echo(f"{chosen.tune.metric} of {chosen.tune.of}: {found.value:.4f}, best of {found.trials} trials")
        for key, value in found.values.items():
            typer.echo(f"  {key} = {value}")
        typer.echo(f"recipe: {folder / BEST_FILE}")
        typer.echo(f"trials: {folder / TRIALS_FILE}")
