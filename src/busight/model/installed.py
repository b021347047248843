"""Installed models: bundles that come with BUSight or lie in the folder of ``BUSIGHT_MODELS``, found by name."""

from __future__ import annotations

import difflib
import os
from importlib import resources
from pathlib import Path

from busight.errors import BundleError
from busight.model.bundle.card import CARD

READY = "busight-base"
"""The model that is used where none is named."""

FOLDER_VARIABLE = "BUSIGHT_MODELS"
"""Environment variable: a folder of one's own, each bundle in a subfolder, whose name is the model's."""

_SHIPPED = "ready"
"""The package's subfolder with the bundles that come with BUSight."""


def installed_models() -> dict[str, Path]:
    """Return the installed models: folder by name, sorted; of two with one name that which came with BUSight.

    Raises:
        BundleError: ``BUSIGHT_MODELS`` is no folder that can be read, or a model itself.
    """
    shipped = _bundles_in(Path(str(resources.files("busight.model") / _SHIPPED)))
    own, found = os.environ.get(FOLDER_VARIABLE, ""), {}
    if own:
        if not Path(own).is_dir():
            raise BundleError(f"{FOLDER_VARIABLE}={own}: no such folder; make it, or unset the variable")
        if (Path(own) / CARD).is_file():
            raise BundleError(f"{FOLDER_VARIABLE}={own}: is a model itself; name the folder that it lies in")
        found = _bundles_in(Path(own))
    return dict(sorted({**found, **shipped}.items()))


def find_model(name: str | Path) -> Path:
    """Return the folder that a model's name or path means.

    Args:
        name: The name of an installed model; else the path of a bundle or of a run's folder. A folder that is called
            like an installed model is named with its path, ``./busight-base``.

    Raises:
        BundleError: Neither is there.
    """
    path = Path(name)
    if isinstance(name, Path) or path.name != name:
        return path
    models = installed_models()
    if name in models:
        return models[name]
    if name and path.exists():
        return path
    if not models:
        raise BundleError(
            f"{name}: no model is installed, and no folder has this name; this installation came without "
            f"{READY}: install busight again, or name the folder of a bundle or run"
        )
    near = difflib.get_close_matches(name, models, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BundleError(f"{name}: no such folder, and no installed model of this name; {hint}known: {', '.join(models)}")


def _bundles_in(folder: Path) -> dict[str, Path]:
    try:
        return {entry.name: entry for entry in folder.iterdir() if _is_bundle(entry)} if folder.is_dir() else {}
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read ({error.strerror or error}); check its permissions") from error


def _is_bundle(folder: Path) -> bool:
    """Return whether a folder holds a card; a folder that may not be read might, and whoever opens it is told."""
    try:
        return (folder / CARD).is_file()
    except PermissionError:
        return True
