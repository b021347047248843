"""What all engines have in common: batches of a limited size, and outputs that are as declared."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.strategies.engine import Outputs

INPUT = "images"

_EXTERNAL_DATA = b"\x0a\x08location"
"""The key of ONNX's external data as protobuf writes it: field 1, eight bytes."""

Shapes = dict[str, tuple[int, ...]]
"""Shape by name without the batch; 0 where a graph does not fix a side."""


class BatchedEngine(ABC):
    """A graph that is run on batches of at most so many inputs. An engine implements `_run`.

    Attributes:
        input_shape: Channels, height and width of an input.
        output_shapes: Shape of each output without the batch; 0 where the graph does not fix a side.
    """

    def __init__(self, path: Path, inputs: Shapes, outputs: Shapes, batch: int) -> None:
        """Set the declared shapes.

        Args:
            path: The graph, for messages.
            inputs: Its inputs.
            outputs: Its outputs, in their order.
            batch: Largest number of inputs in one run.

        Raises:
            BundleError: It has another input than ``images``.
        """
        if list(inputs) != [INPUT]:
            raise BundleError(
                f"{path}: its inputs are {', '.join(inputs) or 'none'}, not {INPUT}; get the bundle again"
            )
        self.input_shape = inputs[INPUT]
        self.output_shapes = outputs
        self._path = path
        self._batch = batch

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Return the outputs of a batch, float32 (N, C, H, W) in 0–1, N at least 1. Several threads may call it.

        Raises:
            BundleError: An output is not as the graph declares it.
        """
        names = list(self.output_shapes)
        parts = [self._checked(batch[start : start + self._batch]) for start in range(0, len(batch), self._batch)]
        if len(parts) == 1:
            return dict(zip(names, parts[0], strict=True))
        return {name: np.concatenate(values) for name, *values in zip(names, *parts, strict=True)}

    @abstractmethod
    def _run(self, batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        """Return the outputs of a contiguous batch in the order of `output_shapes`."""

    def _checked(self, batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        outputs = self._run(np.ascontiguousarray(batch))
        for (name, sides), values in zip(self.output_shapes.items(), outputs, strict=True):
            if len(values) != len(batch) or not is_declared(values.shape[1:], sides) or values.dtype != np.float32:
                raise BundleError(
                    f"{self._path}: its output {name} is {values.dtype} {values.shape} for {len(batch)} inputs; get "
                    "the bundle again"
                )
        return outputs


def is_declared(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    """Return whether a shape is the declared one, in which 0 stands for any side."""
    return len(shape) == len(declared) and all(
        wanted in (0, side) for side, wanted in zip(shape, declared, strict=True)
    )


def require_own_weights(path: Path) -> None:
    """Raise for an ONNX graph whose weights lie in another file: that file has no digest, and may be any file.

    Raises:
        BundleError: They do.
    """
    if not path.stat().st_size:
        return  # the engine says what is wrong with it
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_EXTERNAL_DATA) >= 0:
            raise BundleError(f"{path}: its weights lie in another file, which is not read; export it as one file")
