"""ONNX Runtime as an engine."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.cores import usable_cores
from busight.strategies.engine import Outputs

INPUT = "images"

_EXTERNAL_DATA = b"\x0a\x08location"
"""The key of ONNX's external data as protobuf writes it: field 1, eight bytes."""


class OnnxRuntimeEngine:
    """A graph in ONNX Runtime on the CPU.

    Attributes:
        input_shape: Channels, height and width of an input.
        output_shapes: Shape of each output without the batch; 0 where the graph does not fix a side.
    """

    def __init__(self, path: Path, threads: int = 0, batch: int = 16) -> None:
        """Open a graph.

        Args:
            path: The graph.
            threads: Threads of one operator; 0 lets ONNX Runtime choose, within the cores of this process.
            batch: Largest number of inputs in one run.

        Raises:
            BundleError: ONNX Runtime cannot run it, or it has no input ``images``.
        """
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals

        self._path = path
        _require_own_weights(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is said in the error
        # ONNX Runtime counts the machine's cores, not those in this process's affinity.
        cores = usable_cores()
        options.intra_op_num_threads = threads or (len(cores) if len(cores) < (os.cpu_count() or 1) else 0)
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (
            refusals.Fail,
            refusals.InvalidArgument,
            refusals.InvalidGraph,
            refusals.InvalidProtobuf,
            refusals.NotImplemented,
            refusals.RuntimeException,
        ) as error:
            # Anything else may be a graph for a newer ONNX Runtime.
            is_no_graph = isinstance(error, refusals.InvalidProtobuf | refusals.InvalidArgument)
            remedy = "get the bundle again" if is_no_graph else "update onnxruntime"
            raise BundleError(f"{path}: ONNX Runtime cannot run it ({str(error)[:100]}); {remedy}") from error
        inputs = {given.name: _sides(given.shape) for given in self._session.get_inputs()}
        if list(inputs) != [INPUT]:
            raise BundleError(f"{path}: its inputs are {', '.join(inputs)}, not {INPUT}; get the bundle again")
        self.input_shape: tuple[int, ...] = inputs[INPUT]
        self.output_shapes = {given.name: _sides(given.shape) for given in self._session.get_outputs()}
        self._batch = batch

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Return the outputs of a batch, float32 (N, C, H, W) in 0–1, N at least 1."""
        names = list(self.output_shapes)
        parts = [self._run(names, batch[start : start + self._batch]) for start in range(0, len(batch), self._batch)]
        if len(parts) == 1:
            return dict(zip(names, parts[0], strict=True))
        return {name: np.concatenate(values) for name, *values in zip(names, *parts, strict=True)}

    def _run(self, names: list[str], batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        outputs: list[NDArray[np.float32]] = self._session.run(names, {INPUT: np.ascontiguousarray(batch)})
        for name, values in zip(names, outputs, strict=True):
            sides = self.output_shapes[name]
            as_declared = len(values.shape) == 1 + len(sides) and all(
                side in (0, found) for side, found in zip(sides, values.shape[1:], strict=True)
            )
            if len(values) != len(batch) or not as_declared or values.dtype != np.float32:
                raise BundleError(
                    f"{self._path}: its output {name} is {values.dtype} {values.shape} for {len(batch)} inputs; get "
                    "the bundle again"
                )
        return outputs


def _require_own_weights(path: Path) -> None:
    """Raise for a graph whose weights lie in another file: that file has no digest, and may be any file."""
    if not path.stat().st_size:
        return  # ONNX Runtime says what is wrong with it
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_EXTERNAL_DATA) >= 0:
            raise BundleError(f"{path}: its weights lie in another file, which is not read; export it as one file")


def _sides(shape: list[int | str]) -> tuple[int, ...]:
    return tuple(side if isinstance(side, int) else 0 for side in shape[1:])
