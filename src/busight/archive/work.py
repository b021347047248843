"""What a worker does: it opens the model once, and predicts one part of the archive after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from busight.archive.addresses import contents, is_remote
from busight.archive.table import parquet_bytes
from busight.data.image_spec import ImageSpec
from busight.data.readers.inputs import read_frames
from busight.model.engines.catalogue import EngineSettings
from busight.model.model import Model
from busight.model.stream import predict_stream
from busight.results.prediction_record import record_of
from busight.types import Failure, ImageRef, InputImage


class Part(NamedTuple):
    """A part of an archive: its number, and the paths or addresses of its files."""

    number: int
    addresses: tuple[str, ...]


class Finished(NamedTuple):
    """A finished part: its number, its Parquet file, the records in it, and how many of these are errors."""

    number: int
    parquet: bytes
    records: int
    failures: int


Runner = Callable[["Work", Sequence[Part], int], Iterator[Finished]]
"""Predicts parts with so many workers (0: all that can work), and yields each when it is finished, in any order."""


@dataclass(frozen=True, slots=True)
class Work:
    """How each part is predicted.

    Attributes:
        bundle: The model's bundle.
        at: The folder that relative paths start from, on every machine.
        engine: How its graphs are run, and in which batches.
        show_rejected: Include what was predicted for rejected images.
    """

    bundle: Path
    at: Path
    engine: EngineSettings
    show_rejected: bool

    def predict(self, part: Part, opened_at: Path | None = None) -> Finished:
        """Predict a part.

        Args:
            part: The part.
            opened_at: Where this machine has the bundle, if elsewhere.
        """
        model = _opened(opened_at or self.bundle, self.bundle, self.engine)
        answers = list(predict_stream(model, self._images(part.addresses, model.preprocess.image), self.engine.batch))
        records = [record_of(answer, model.card, self.show_rejected) for answer in answers]
        failures = sum(isinstance(answer, Failure) for answer in answers)
        return Finished(part.number, parquet_bytes(records, model.labels), len(records), failures)

    def _images(self, addresses: Sequence[str], spec: ImageSpec) -> Iterator[InputImage | Failure]:
        remote = contents([address for address in addresses if is_remote(address)])
        for address in addresses:
            if not is_remote(address):
                yield from read_frames(self.at / address, spec, address)
            elif (content := next(remote)) is None:
                yield Failure(ImageRef(address), f"{address}: no such object; check the listing")
            else:
                yield from read_frames(content, spec, address)


@cache
def _opened(folder: Path, named: Path, engine: EngineSettings) -> Model:
    # Messages name the bundle as the user did, wherever this machine has its copy.
    return replace(Model.load(folder, engine), folder=named)
