"""ONNX graphs with weights in half precision, computed with in single precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from busight.errors import BundleError
from busight.io.atomic import write_bytes

_LEAST = 256
"""Values from which a tensor is stored in half precision; the others take no room."""

_LARGEST = 65504.0


def write_half_precision(source: Path, target: Path) -> None:
    """Write a graph whose large tensors are stored in half the bytes and cast to single precision when it is opened.

    Args:
        source: An ONNX graph in single precision.
        target: The graph to write.

    Raises:
        BundleError: A weight is beyond what half precision holds.
        OutputError: The file could not be written.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(source)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _LEAST:
            continue
        values = numpy_helper.to_array(tensor)
        if not np.abs(values).max() <= _LARGEST:
            raise BundleError(f"{source}: {tensor.name} has weights beyond half precision; keep it in single precision")
        name, stored = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):  # before the nodes that read them
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    write_bytes(target, model.SerializeToString())
