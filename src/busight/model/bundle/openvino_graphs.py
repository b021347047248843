"""From an ONNX graph to OpenVINO's format: single or half precision, or int8."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError, OutputError
from busight.model.bundle.card import Target
from busight.model.engines.batched import INPUT
from busight.model.engines.openvino import read_graph

FLOAT_SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Shares of the layers, the first ones, that may stay in single precision in int8, tried in order: their errors add up.
With more of them, little of int8's speed would be left."""

_WITH_WEIGHTS = frozenset({"Convolution", "GroupConvolution", "MatMul"})


def toolkit(target: Target) -> str:
    """Return the libraries that write graphs of a target, with their versions."""
    names = ("openvino", "nncf") if target == "int8" else ("openvino",)
    return ", ".join(f"{name} {version(name)}" for name in names)


def write_float_graph(graph: Path, path: Path, half: bool) -> None:
    """Write an ONNX graph in OpenVINO's format, with weights in half or single precision.

    Args:
        graph: The ONNX graph.
        path: The ``.xml`` to write; its ``.bin`` comes beside it.
        half: Store weights in half the bytes; they are computed with in single precision.

    Raises:
        BundleError: OpenVINO cannot read the graph.
        OutputError: The files could not be written.
    """
    _save(read_graph(graph), path, half)


def write_int8_graph(graph: Path, path: Path, inputs: Sequence[NDArray[np.float32]], float_share: float) -> None:
    """Write an ONNX graph in int8, its ranges calibrated on inputs.

    Args:
        graph: The ONNX graph.
        path: The ``.xml`` to write; its ``.bin`` comes beside it.
        inputs: float32 (C, S, S) in 0–1 each, as the network gets them.
        float_share: Share of the layers, the first ones, that stay in single precision.

    Raises:
        BundleError: OpenVINO cannot read the graph, or NNCF cannot quantise it.
        OutputError: The files could not be written.
    """
    # NNCF imports PyTorch where it is installed, which then complains of a missing GPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    import nncf

    nncf.set_log_level(logging.ERROR)
    model = read_graph(graph)
    layers = [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in _WITH_WEIGHTS]
    try:
        # Its progress bar goes to standard output, which is the program's own.
        with redirect_stdout(io.StringIO()):
            quantised = nncf.quantize(
                model,
                nncf.Dataset([{INPUT: image[None]} for image in inputs]),
                # Weights symmetric, activations not: those of a ReLU have no negative half to waste.
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(inputs),
                ignored_scope=nncf.IgnoredScope(names=layers[: round(float_share * len(layers))]),
            )
    except (RuntimeError, nncf.errors.ValidationError) as error:
        raise BundleError(f"{graph}: cannot be made int8 ({str(error).splitlines()[0][:100]})") from error
    _save(quantised, path, half=False)


def _save(model: Any, path: Path, half: bool) -> None:
    import openvino

    try:
        openvino.save_model(model, str(path), compress_to_fp16=half)
    except RuntimeError as error:
        raise OutputError(f"{path}: could not be written ({str(error).strip().splitlines()[-1][:100]})") from error
