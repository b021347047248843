"""Checks before an experiment begins."""

from __future__ import annotations

from pathlib import Path

from busight.audit.checked_dataset import CheckedDataset
from busight.data.split import Split
from busight.data.split_file import data_digest_of
from busight.errors import ConfigError, DataError
from busight.io.progress import Progress
from busight.recipes.schema import Recipe


def check_data_is_named(recipe: Recipe) -> None:
    """Raise for a recipe without data.

    Raises:
        ConfigError: The recipe names no data.
    """
    if not recipe.data.spec:
        raise ConfigError(f"recipe {recipe.name}: it names no data; say --data SPEC, e.g. --data busi:PATH")


def require_classes_to_learn(checked: CheckedDataset, split: Split, recipe: Recipe) -> None:
    """Raise for a split whose train subset lacks a class of the task: a network would never predict it.

    Raises:
        DataError: A class is missing. Splits within one data set are made so that none does; leaving a source out may.
        ConfigError: Lesion-free crops are to be taught as a class that the data do not have.
    """
    if not recipe.classifies:
        return
    labels = checked.labels.for_task(recipe.classify.task)
    learnt = {labels.class_of(sample.label) for sample in checked.samples_of(split.train)}
    if recipe.train.crops.lesion_free:
        if not checked.labels.without_lesion:
            raise ConfigError(
                f"train.crops.lesion_free: {recipe.data.spec} has no class without a lesion to teach crops beside "
                "lesions as; join data that have it, or set train.crops.lesion_free=0"
            )
        learnt |= {labels.class_of(name) for name in checked.labels.without_lesion}
    if missing := [name for name in labels.names if name not in learnt]:
        raise DataError(
            f"split {split.kind}: no image of class {missing[0]} is left to train on; leave out data sets that have it "
            "alone, or set classify.task=binary or lesion"
        )


def require_split_file(split_file: Path | None) -> None:
    """Raise for a split file that cannot be read, before the data are read.

    Raises:
        DataError: The file is not a split.
    """
    if split_file is not None:
        data_digest_of(split_file)


def warn_other_data(split_file: Path | None, checked: CheckedDataset, progress: Progress) -> None:
    """Warn of a split that was made for other data with the same sample ids."""
    if split_file is not None and data_digest_of(split_file) != checked.digest:
        progress.line(
            f"warning: {split_file} was made for other images, masks or labels of the same names; what it keeps apart "
            "may be copies here"
        )
