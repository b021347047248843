"""Tiny networks as ONNX graphs whose parameters are written down, not trained: the same on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 12


def write_graph(
    path: Path, seed: int, *, classes: int = 0, mask: bool = False, channels: int = 1, size: int = 64
) -> None:
    """Write a graph with input ``images`` and the outputs of a classifier, of a mask network, or of both.

    Args:
        path: The file.
        seed: Of the parameters.
        classes: K; 0 for no class head.
        mask: Whether it gives ``mask_probs``: high where the image is darker than its surroundings.
        channels: Of the input, 1 or 3.
        size: Side of the input in pixels.
    """
    rng = np.random.default_rng(seed)
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def normal(name: str, *shape: int, scale: float) -> str:
        return constant(name, rng.normal(0, scale, shape).astype(np.float32))

    nodes = [
        helper.make_node(
            "Conv", ["images", normal("w1", WIDTH, channels, 5, 5, scale=0.4), normal("b1", WIDTH, scale=0.1)], ["c1"],
            strides=[2, 2], pads=[2, 2, 2, 2],
        ),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node(
            "Conv", ["r1", normal("w2", WIDTH, WIDTH, 3, 3, scale=0.2), normal("b2", WIDTH, scale=0.1)], ["c2"],
            strides=[2, 2], pads=[1, 1, 1, 1],
        ),
        helper.make_node("Relu", ["c2"], ["r2"]),
    ]  # fmt: skip
    outputs = []
    if classes:
        nodes += [
            helper.make_node(
                "Conv", ["r2", normal("w3", classes, WIDTH, 1, 1, scale=0.8), normal("b3", classes, scale=0.2)],
                ["activation"],
            ),
            helper.make_node("ReduceMean", ["activation", constant("axes", np.array([2, 3]))], ["logits"], keepdims=0),
            helper.make_node("ReduceMean", ["r2", "axes"], ["features"], keepdims=0),
        ]  # fmt: skip
        outputs += [("logits", [classes]), ("activation", [classes, size // 4, size // 4]), ("features", [WIDTH])]
    if mask:
        nodes += [
            helper.make_node("ReduceMean", ["images", constant("channel", np.array([1]))], ["grey"], keepdims=1),
            helper.make_node("AveragePool", ["grey"], ["near"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
            helper.make_node("AveragePool", ["near"], ["wide"], kernel_shape=[33, 33], pads=[16, 16, 16, 16]),
            helper.make_node("Sub", ["wide", "near"], ["darker"]),
            helper.make_node("Sub", ["darker", constant("least", np.array([0.06], np.float32))], ["above"]),
            helper.make_node("Mul", ["above", constant("steep", np.array([60.0], np.float32))], ["mask_logits"]),
            helper.make_node("Sigmoid", ["mask_logits"], ["mask_probs"]),
        ]
        outputs.append(("mask_probs", [1, size, size]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", channels, size, size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name, shape in outputs],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
