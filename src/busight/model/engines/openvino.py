"""OpenVINO as an engine, in single precision, with half-precision weights, or in int8."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.model.engines.batched import BatchedEngine, Shapes, require_own_weights


class OpenVinoEngine(BatchedEngine):
    """A graph in OpenVINO on the CPU; an ONNX graph, or one that ``busight export`` wrote."""

    def __init__(self, path: Path, threads: int = 0, streams: int = 1, batch: int = 8) -> None:
        """Open a graph.

        Args:
            path: The graph, ``.onnx`` or ``.xml`` with its ``.bin`` beside it.
            threads: Cores that it uses; 0 lets OpenVINO choose.
            streams: Runs at the same time, which share the cores.
            batch: Largest number of inputs in one run.

        Raises:
            BundleError: OpenVINO cannot run it, or it has another input than ``images``.
        """
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            # Without it OpenVINO computes in bfloat16 where the processor can, with two to three digits.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        graph = read_graph(path)
        _require_numbers(path, graph)
        try:
            compiled: Any = _core().compile_model(graph, "CPU", settings)
        except RuntimeError as error:
            raise BundleError(f"{path}: OpenVINO cannot run it ({_reason(error)}); get the bundle again") from error
        super().__init__(path, _shapes(compiled.inputs), _shapes(compiled.outputs), batch)
        # A request holds the memory of one run; a thread that finds none waits for it.
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(streams):
            self._requests.put(compiled.create_infer_request())

    def _run(self, batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        request = self._requests.get()
        try:
            found = request.infer({0: batch}, share_inputs=True)
            return [found[place] for place in range(len(self.output_shapes))]
        finally:
            self._requests.put(request)


def read_graph(path: Path) -> Any:
    """Read a graph, ``.onnx`` or ``.xml``, as an ``openvino.Model``.

    Raises:
        BundleError: OpenVINO cannot read it.
    """
    from openvino import frontend

    if path.suffix == ".onnx":
        require_own_weights(path)
    # By the name of its format: asked for any, OpenVINO tries every reader that it has on foreign bytes.
    reader: Any = frontend.FrontEndManager().load_by_framework("onnx" if path.suffix == ".onnx" else "ir")
    try:
        return reader.convert(reader.load(str(path)))
    except (
        RuntimeError,
        frontend.GeneralFailure,
        frontend.InitializationFailure,
        frontend.NotImplementedFailure,
        frontend.OpConversionFailure,
        frontend.OpValidationFailure,
    ) as error:
        raise BundleError(f"{path}: OpenVINO cannot read it ({_reason(error)}); get the bundle again") from error


def _require_numbers(path: Path, graph: Any) -> None:
    """Raise for weights that hold NaN or infinity: OpenVINO's ReLU makes 0 of NaN, and an answer of it.

    A single infinite number is none, as of a range without an end.
    """
    for node in graph.get_ops():
        if node.get_type_name() != "Constant" or not node.get_element_type().is_real():
            continue
        values = node.data
        if not np.isfinite(values).all() and (values.size > 1 or np.isnan(values).any()):
            raise BundleError(f"{path}: its weights hold NaN or infinity ({node.get_friendly_name()}); train it again")


@cache
def _core() -> Any:
    """Return the one runtime of this process, which stays: where two are ended in the order in which they began,
    OpenVINO 2026.4 leaves the process with a signal stack that is no longer mapped, and Ctrl-C ends it by SIGSEGV."""
    import openvino

    return openvino.Core()


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[-1][:100]


def _shapes(declared: Sequence[Any]) -> Shapes:
    return {
        given.get_any_name(): tuple(0 if side.is_dynamic else side.get_length() for side in given.partial_shape[1:])
        for given in declared
    }
