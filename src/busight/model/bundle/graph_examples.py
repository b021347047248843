"""Comparison of a graph's outputs with those of its network. No PyTorch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.arrays import read_arrays
from busight.io.atomic import written_beside
from busight.model.bundle.card import GRAPH_EXAMPLES
from busight.model.engines.batched import is_declared
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.preprocess.resize import as_network_input
from busight.strategies.engine import Engine
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
    worst = _difference(OnnxRuntimeEngine(path), inputs, expected)
    if not worst <= TOLERANCE:
        raise BundleError(
            f"{path.name}: is {worst:.2g} away from the network that it was made from; use another backbone or decoder"
        )
    return worst


def _difference(engine: Engine, inputs: Image, expected: Sequence[NDArray[np.float32]]) -> float:
    outputs = engine.run(as_network_input(inputs))
    worst = 0.0
    for actual, wanted in zip(outputs.values(), expected, strict=True):
        scale = max(1.0, float(np.abs(wanted).max()))
        # max() would lose a NaN on either side.
        worst = float(np.maximum(worst, np.abs(actual - wanted).max() / scale))
    return worst


def write_own_examples(source: Path, target: Path, graphs: Sequence[str]) -> float:
    """Write the examples of graphs that were made from those of another bundle: its inputs, their own outputs.

    Args:
        source: The folder of the other bundle, with its examples.
        target: The folder of the graphs, where the examples are written.
        graphs: Names of the graphs.

    Returns:
        The largest difference from the outputs of the other bundle's networks, as in `graph_difference`.
    """
    given = read_arrays(source / GRAPH_EXAMPLES)
    arrays: dict[str, NDArray[np.generic]] = {}
    worst = 0.0
    for graph in graphs:
        stem, engine = Path(graph).stem, OnnxRuntimeEngine(target / graph)
        inputs = given[f"{stem}.images"]
        worst = max(worst, _difference(engine, inputs, [given[f"{stem}.{name}"] for name in engine.output_shapes]))
        arrays[f"{stem}.images"] = inputs
        arrays |= {f"{stem}.{name}": values for name, values in engine.run(as_network_input(inputs)).items()}
    with written_beside(target / GRAPH_EXAMPLES) as beside:
        np.savez_compressed(beside, **arrays)  # type: ignore[arg-type]
    return worst


def replay_graphs(folder: Path) -> tuple[int, float]:
    """Run each graph of a bundle on the examples that were written with it.

    Returns:
        The number of graphs, and the largest difference from the outputs of their networks, as in `graph_difference`.

    Raises:
        BundleError: The file is damaged, is of other graphs, or a graph answers otherwise than its network.
    """
    path = folder / GRAPH_EXAMPLES
    try:
        arrays = read_arrays(path)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: not the examples of graphs ({error}); copy the whole folder again") from error
    stems = {name.partition(".")[0] for name in arrays}
    graphs = {file.stem: file for file in folder.glob("*.onnx")}
    if not stems or stems != graphs.keys():
        raise BundleError(f"{path}: its examples are of other graphs than the bundle's; copy the whole folder again")
    worst = 0.0
    for stem, graph in graphs.items():
        engine = OnnxRuntimeEngine(graph)
        given = {name.partition(".")[2]: values for name, values in arrays.items() if name.startswith(f"{stem}.")}
        inputs = given.pop("images", None)
        if inputs is None or not _fits(engine, inputs, given):
            raise BundleError(f"{path}: its examples do not fit {graph.name}; copy the whole folder again")
        difference = _difference(engine, inputs, [given[name] for name in engine.output_shapes])
        if not difference <= TOLERANCE:
            raise BundleError(
                f"{graph}: answers its own examples otherwise than when it was made (by {difference:.2g}, at most "
                f"{TOLERANCE:g}); copy the whole folder again, or update onnxruntime"
            )
        worst = max(worst, difference)
    return len(graphs), worst


def _fits(engine: Engine, inputs: NDArray[np.generic], outputs: Mapping[str, NDArray[np.generic]]) -> bool:
    """Return whether example inputs and outputs are of a graph's shapes and types."""
    channels, *sides = engine.input_shape
    image = (*sides, channels) if channels > 1 else tuple(sides)
    declared = engine.output_shapes
    return (
        inputs.dtype == np.uint8
        and len(inputs) > 0
        and inputs.shape[1:] == image
        and outputs.keys() == declared.keys()
        and all(values.dtype == np.float32 and len(values) == len(inputs) for values in outputs.values())
        and all(is_declared(values.shape[1:], declared[name]) for name, values in outputs.items())
    )
