"""Trainings that are done: whether their folders still hold what they were finished with."""

from __future__ import annotations

from pathlib import Path

from busight.audit.checked_dataset import Material
from busight.data.split import Split
from busight.data.split_file import read_split
from busight.errors import DataError, OutputError
from busight.io.digests import sha256_of_file
from busight.results.cases_file import read_cases
from busight.results.metrics_file import read_document
from busight.results.run_record import Case

CASES_FILE = "cases.csv"
DONE_FILE = "metrics.json"
"""Written last: a folder that holds it is finished."""
SPLIT_FILE = "split.json"


def is_finished(folder: Path, split: Split, material: Material) -> bool:
    """Say whether a run is done, and with this split of these data.

    Args:
        folder: Of the run.
        split: The split that it should have.
        material: The data.

    Raises:
        OutputError: It is done, but something of it is missing, was changed, or belongs to another split.
    """
    if not (folder / DONE_FILE).is_file():
        return False
    again = "remove this folder, and --resume trains it again"
    for name in (CASES_FILE, SPLIT_FILE, "bundle/card.json"):
        if not (folder / name).is_file():
            raise OutputError(f"{folder}: {name} of the finished run is missing; {again}")
    try:
        made = read_split(folder / SPLIT_FILE, material.samples, material.digest)
    except DataError as error:
        raise OutputError(f"{error}; if the data are as they were, {again}") from error
    if made.digest != split.digest:
        raise OutputError(f"{folder}: was made with another split; the data have changed, choose another --out")
    try:
        finished_cases(folder)
    except DataError as error:
        raise OutputError(f"{error}; {again}") from error
    return True


def finished_cases(folder: Path) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Read the cases of a finished run, and their classes.

    Raises:
        DataError: It is not finished, or its cases are not those that were scored.
    """
    if not (folder / DONE_FILE).is_file():
        raise DataError(f"{folder}: is not finished")
    document = read_document(folder / DONE_FILE)
    cases, classes = read_cases(folder / CASES_FILE)
    scored = document.about.cases_digest
    if len(cases) < document.n_images or (scored is not None and sha256_of_file(folder / CASES_FILE) != scored):
        raise DataError(f"{folder / CASES_FILE}: was changed after it was scored")
    return cases, classes


RECIPE_FILE = "recipe.toml"
