"""The interface of an engine, which runs a network's graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Outputs = dict[str, NDArray[np.float32]]
"""Outputs of a graph by name, each with the batch as its first axis: ``logits`` (N, K), ``activation`` (N, K, h, w),
``features`` (N, C), ``mask_probs`` (N, 1, H, W)."""


class Engine(Protocol):
    """Runs one graph on batches."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width of an input."""
        ...

    @property
    def output_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each output without the batch; 0 where the graph does not fix a side."""
        ...

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Return the outputs of a batch, float32 (N, C, H, W) in 0–1, of any length N."""
        ...
