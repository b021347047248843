"""Engines that keep their inputs: to calibrate int8 on them, and to run the bare engine on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from busight.model.bundle.card import CLASSIFIER, SEGMENTER
from busight.model.model import Model
from busight.strategies.engine import Engine, Outputs
from busight.strategies.segmenters import NetworkSegmenter


@dataclass(frozen=True, slots=True, eq=False)
class RecordingEngine:
    """An engine that keeps the batches that it was called with.

    Attributes:
        engine: The engine that answers.
        batches: float32 (N, C, H, W) each, in the order of the calls.
    """

    engine: Engine
    batches: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width of an input."""
        return self.engine.input_shape

    @property
    def output_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each output without the batch."""
        return self.engine.output_shapes

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Keep a batch and return its outputs."""
        self.batches.append(batch)
        return self.engine.run(batch)


def recording(model: Model) -> tuple[Model, dict[str, RecordingEngine]]:
    """Return the model with engines that keep their inputs, and these engines by the name of their graph."""
    stages, engines = model.stages, {}
    if stages.classifier is not None:
        engines[CLASSIFIER] = RecordingEngine(stages.classifier)
        stages = replace(stages, classifier=engines[CLASSIFIER])
    if isinstance(stages.segmenter, NetworkSegmenter):
        engines[SEGMENTER] = RecordingEngine(stages.segmenter.engine)
        stages = replace(stages, segmenter=replace(stages.segmenter, engine=engines[SEGMENTER]))
    return replace(model, stages=stages), engines
