"""What is checked before an experiment begins."""

from __future__ import annotations

from pathlib import Path

from busight.audit.checked_dataset import Material
from busight.data.split_file import data_digest_of
from busight.errors import ConfigError
from busight.io.progress import Progress
from busight.recipes.schema import Recipe


def check_data_is_named(recipe: Recipe) -> None:
    """Refuse a recipe that names no data.

    Raises:
        ConfigError: It names none.
    """
    if not recipe.data.spec:
        raise ConfigError(f"recipe {recipe.name}: it names no data; say --data SPEC, e.g. --data busi:PATH")


def require_split_file(split_file: Path | None) -> None:
    """Refuse a split that cannot be read, before the data are.

    Raises:
        DataError: It is none.
    """
    if split_file is not None:
        data_digest_of(split_file)


def tell_other_data(split_file: Path | None, material: Material, progress: Progress) -> None:
    """Warn of a split that was made for other data with the same names."""
    if split_file is not None and data_digest_of(split_file) != material.digest:
        progress.line(
            f"warning: {split_file} was made for other images, masks or labels of the same names; what it keeps apart "
            "may be copies here"
        )
