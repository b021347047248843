"""Comparison of a graph's outputs with those of its network. No PyTorch here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.preprocess.resize import as_network_input
from busight.types import Image

TOLERANCE = 1e-3
"""Largest allowed difference of a logit or mask probability between a graph and its network, relative to their size."""


def graph_difference(path: Path, inputs: Image, expected: Sequence[NDArray[np.float32]]) -> float:
    """Run a graph on example inputs and return the largest difference from the expected outputs.

    Args:
        path: The graph.
        inputs: uint8 (N, S, S), or (N, S, S, 3).
        expected: One array for each output, in the graph's order.

    Returns:
        The largest absolute difference, relative to the size of an output where that is above 1.

    Raises:
        BundleError: The difference exceeds the tolerance.
    """
    outputs = OnnxRuntimeEngine(path).run(as_network_input(inputs))
    worst = 0.0
    for actual, wanted in zip(outputs.values(), expected, strict=True):
        scale = max(1.0, float(np.abs(wanted).max()))
        worst = max(worst, float(np.abs(actual - wanted).max()) / scale)
    if not worst <= TOLERANCE:
        raise BundleError(
            f"{path.name}: is {worst:.2g} away from the network that it was made from; use another backbone or decoder"
        )
    return worst
