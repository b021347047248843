from ._version import __version__
from .data.dataset import DataSet
from .data.labels import LabelSchema
from .data.readers.image import read_grey
from .data.sources.catalogue import load_data
from .errors import BusightError
from .experiments.evaluate import evaluate
from .experiments.run import run
from .experiments.train import train
from .model.model import Model
from .recipes.load import load_recipe
from .report.write import write_report
from .types import Prediction, Rejected, Sample

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
