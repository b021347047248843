"""The folder of a cross-validation: the folder of each fold, and the cases of all folds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from busight.data.labels import LabelSchema
from busight.errors import ConfigError, DataError
from busight.results.case import Case
from busight.results.plan_file import read_plan
from busight.results.store import finished_cases

CROSSVAL_FILE = "crossval.json"

By = Literal["group", "image", "source"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a cross-validation.

    Attributes:
        folds: Number of folds, each tested once in every repeat; by source as many as there are data sets.
        repeats: Number of repeats, each with other folds and another seed of training.
        by: ``group`` keeps patients and near-duplicates together; ``image`` does not, and its metrics are too high;
            ``source`` leaves one of several data sets out, each in turn.
        left_out: By source: the names of the data sets that are left out; empty for all.
    """

    folds: int = 5
    repeats: int = 1
    by: By = "group"
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise for numbers of folds or repeats out of range."""
        if self.folds < (1 if self.left_out else 2) or self.repeats < 1:
            raise ConfigError(f"{self.folds} folds × {self.repeats} repeats: at least 2 folds and 1 repeat")


def fold_folder(out: Path, repeat: int, fold: int) -> Path:
    """Return the folder of one fold; both are counted from 0, folders from 1."""
    return out / f"repeat-{repeat + 1}" / f"fold-{fold + 1}"


def fold_folders(out: Path, plan: Plan) -> list[Path]:
    """Return the folders of all folds, repeat after repeat."""
    return [fold_folder(out, repeat, fold) for repeat in range(plan.repeats) for fold in range(plan.folds)]


def repeat_cases(out: Path) -> tuple[tuple[tuple[Case, ...], ...], LabelSchema]:
    """Read the cases of a cross-validation.

    Returns:
        For each repeat its cases sorted by sample, and the labels.

    Raises:
        DataError: Not a cross-validation, one with an unfinished fold, or inconsistent folds.
    """
    plan = plan_of(out)
    repeats: list[tuple[Case, ...]] = []
    labels: set[LabelSchema] = set()
    for repeat in range(plan.repeats):
        cases: list[Case] = []
        for fold in range(plan.folds):
            try:
                of_fold, labels_of_fold = finished_cases(fold_folder(out, repeat, fold))
            except DataError as error:
                raise DataError(
                    f"{error}; go on with busight crossval --resume, after removing the folder of a changed fold"
                ) from error
            labels.add(labels_of_fold)
            cases += of_fold
        repeats.append(tuple(sorted(cases, key=lambda case: case.sample_id)))
    if len(labels) != 1:
        raise DataError(f"{out}: its folds have different classes; begin anew in another --out")
    ids = {tuple(case.sample_id for case in cases) for cases in repeats}
    if len(ids) != 1 or len(set(next(iter(ids)))) != len(next(iter(ids))):
        raise DataError(f"{out}: its repeats do not hold every image once; begin anew in another --out")
    return tuple(repeats), labels.pop()


def plan_of(out: Path) -> Plan:
    """Read the plan of a cross-validation.

    Raises:
        DataError: Not the folder of a cross-validation.
    """
    document = read_plan(out, "cross-validation")
    try:
        folds, repeats, by, left_out = (document[name] for name in ("folds", "repeats", "by", "left_out"))
        if not (isinstance(left_out, list) and all(isinstance(name, str) for name in left_out)):
            raise TypeError("left_out")
        return Plan(folds, repeats, by, tuple(left_out))
    except (KeyError, TypeError, ConfigError) as error:
        raise DataError(f"{out}: not the folder of a cross-validation; see busight crossval") from error
