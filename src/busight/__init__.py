"""BUSight: breast-ultrasound AI that people can believe. Research use only, not a medical device.

The names below are the public interface; each is imported when it is first used, so that prediction never loads what
only training needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from busight._version import __version__

if TYPE_CHECKING:
    from busight.data.dataset import DataSet
    from busight.data.labels import LabelSchema
    from busight.data.readers.image import read_grey
    from busight.data.sources.catalogue import load as load_data
    from busight.errors import BusightError
    from busight.experiments.evaluate import evaluate
    from busight.experiments.run import run
    from busight.experiments.train import train
    from busight.model.model import Model
    from busight.recipes.load import load_recipe
    from busight.report.write import write_report
    from busight.types import Prediction, Rejected, Sample

__all__ = [
    "BusightError",
    "DataSet",
    "LabelSchema",
    "Model",
    "Prediction",
    "Rejected",
    "Sample",
    "__version__",
    "evaluate",
    "load_data",
    "load_recipe",
    "read_grey",
    "run",
    "train",
    "write_report",
]

_HOME = {
    "BusightError": ("busight.errors", "BusightError"),
    "DataSet": ("busight.data.dataset", "DataSet"),
    "LabelSchema": ("busight.data.labels", "LabelSchema"),
    "Model": ("busight.model.model", "Model"),
    "Prediction": ("busight.types", "Prediction"),
    "Rejected": ("busight.types", "Rejected"),
    "Sample": ("busight.types", "Sample"),
    "evaluate": ("busight.experiments.evaluate", "evaluate"),
    "load_data": ("busight.data.sources.catalogue", "load"),
    "load_recipe": ("busight.recipes.load", "load_recipe"),
    "read_grey": ("busight.data.readers.image", "read_grey"),
    "run": ("busight.experiments.run", "run"),
    "train": ("busight.experiments.train", "train"),
    "write_report": ("busight.report.write", "write_report"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'busight' has no attribute {name!r}")
    module, attribute = _HOME[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """List the public names before they are imported, for completion."""
    return sorted({*globals(), *__all__})
