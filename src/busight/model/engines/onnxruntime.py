"""ONNX Runtime as an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.cores import usable_cores
from busight.model.engines.batched import INPUT, BatchedEngine, Shapes, require_own_weights


class OnnxRuntimeEngine(BatchedEngine):
    """A graph in ONNX Runtime on the CPU."""

    def __init__(self, path: Path, threads: int = 0, streams: int = 1, batch: int = 8) -> None:
        """Open a graph.

        Args:
            path: The graph.
            threads: Cores that it uses; 0 for all that this process may use.
            streams: Runs at the same time, which share the cores.
            batch: Largest number of inputs in one run.

        Raises:
            BundleError: ONNX Runtime cannot run it, or it has another input than ``images``.
        """
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals

        require_own_weights(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is said in the error
        # Each stream is a thread of ours, which calls the session: its own threads are those of one run.
        # ONNX Runtime counts the machine's cores, not those in this process's affinity.
        options.intra_op_num_threads = max(1, (threads or len(usable_cores())) // streams)
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
        super().__init__(path, _shapes(self._session.get_inputs()), _shapes(self._session.get_outputs()), batch)

    def _run(self, batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        outputs: list[NDArray[np.float32]] = self._session.run(list(self.output_shapes), {INPUT: batch})
        return outputs


def _shapes(declared: Sequence[Any]) -> Shapes:
    return {given.name: tuple(side if isinstance(side, int) else 0 for side in given.shape[1:]) for given in declared}
