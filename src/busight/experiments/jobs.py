"""Several trainings of one kind, one after the other: folds, seeds. What is finished is not trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from busight.audit.checked_dataset import CheckedDataset
from busight.data.split import Split, make_split
from busight.experiments.run import run
from busight.io.progress import Progress
from busight.recipes.schema import Recipe
from busight.results.store import RECIPE_FILE, is_finished


@dataclass(frozen=True, slots=True)
class Job:
    """One training of a series.

    Attributes:
        name: What it is called while it runs, e.g. ``"repeat 1 of 3, fold 2 of 5"``.
        folder: Where what it leaves goes.
        recipe: What is done, its own split and seed in it; saved as a file, it runs this member alone.
        split: The split that this recipe makes of the data.
    """

    name: str
    folder: Path
    recipe: Recipe
    split: Split


def plan_job(name: str, folder: Path, recipe: Recipe, checked: CheckedDataset) -> Job:
    """Make the split of a member.

    Raises:
        DataError: The data cannot be split so.
    """
    return Job(name, folder, recipe, make_split(checked.samples, checked.groups, recipe.split))


def run_jobs(members: Sequence[Job], checked: CheckedDataset, command: str, progress: Progress) -> None:
    """Train every member that is not finished; go on with one that was interrupted.

    Raises:
        BusightError: One line that names what is wrong.
    """
    for member in members:
        progress.stage(member.name)
        if is_finished(member.folder, member.split, checked):
            progress.line("finished before")
            continue
        begun = (member.folder / RECIPE_FILE).is_file()
        run(member.recipe, member.folder, resume=begun, command=command, progress=progress, checked=checked)
