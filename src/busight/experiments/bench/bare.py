"""The bare engine of a model: what its networks compute for images, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.data.readers.inputs import read_frames
from busight.errors import DataError
from busight.model.model import Model, batches
from busight.model.recording import recording
from busight.model.stream import predict_stream
from busight.strategies.engine import Engine
from busight.types import Failure, InputImage

_Call = tuple[Engine, NDArray[np.float32]]


def end_to_end(model: Model, paths: Sequence[Path], batch: int) -> Callable[[], object]:
    """Return a function that predicts image files from reading to the decision, as ``busight predict`` does."""
    return lambda: list(predict_stream(model, _images(model, paths), batch))


def bare_engine(model: Model, paths: Sequence[Path], batch: int) -> Callable[[], object]:
    """Return a function that gives the model's engines the inputs that those files lead to, which lie in memory.

    The engines are the model's own, with their threads; as many batches run at the same time as in a prediction.

    Raises:
        DataError: A file cannot be read, or the model runs no network.
    """
    groups = [_calls_of(model, group) for group in batches(_images(model, paths), batch)]
    if not any(groups):
        raise DataError(f"{model.folder}: runs no network, so there is no bare engine to compare it with")
    return lambda: _run(groups, model.engine.streams)


def with_classifier(model: Model, engine: Engine) -> Model:
    """Return the model with another engine for its classifier."""
    return replace(model, stages=replace(model.stages, classifier=engine))


def _images(model: Model, paths: Sequence[Path]) -> Iterator[InputImage | Failure]:
    return (frame for path in paths for frame in read_frames(path, model.preprocess.image))


def _run(groups: Sequence[Sequence[_Call]], streams: int) -> None:
    def one(calls: Sequence[_Call]) -> None:
        for engine, inputs in calls:
            engine.run(inputs)

    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(one, groups))


def _calls_of(model: Model, images: Sequence[InputImage | Failure]) -> list[_Call]:
    for image in images:
        if isinstance(image, Failure):
            raise DataError(image.reason)
    recorder, engines = recording(model)
    recorder.predict([image for image in images if isinstance(image, InputImage)])
    return [(engine.engine, batch) for engine in engines.values() for batch in engine.batches]
