"""Several exported networks as one graph that averages what they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.atomic import write_bytes, written_beside
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import CLASSIFIER, EXAMPLES, SEGMENTER
from busight.model.bundle.load import Bundle
from busight.model.bundle.parity import graph_difference

INPUT = "images"
FEATURES = "features"


def merge_graphs(members: Sequence[Bundle], folder: Path) -> tuple[dict[str, str], float]:
    """Write graphs that average those of several bundles, and their examples.

    Class logits are divided by each member's own temperature before they are averaged; mask probabilities and
    activations are averaged as they are.

    Args:
        members: Two or more bundles with the same graphs, inputs and outputs.
        folder: Of the new bundle.

    Returns:
        SHA-256 of each file, and the largest difference, relative to their size, between the new graphs and the mean of
        the members' examples.

    Raises:
        BundleError: The members do not fit together, or the new graph says something else than their mean.
        OutputError: A file could not be written.
    """
    names = [name for name in (CLASSIFIER, SEGMENTER) if members[0].path(name) is not None]
    examples: dict[str, NDArray[Any]] = {}
    worst = 0.0
    for name in names:
        paths = [member.path(name) for member in members]
        if None in paths:
            raise BundleError(f"{members[0].folder}: has {name}, but not every other member does; they do not fit")
        scales = [logit_scale(member) for member in members]
        write_bytes(folder / name, _merged([path for path in paths if path], scales))
        stem = Path(name).stem
        inputs, expected = _mean_examples(members, stem, scales)
        worst = max(worst, graph_difference(folder / name, inputs, list(expected.values())))
        examples[f"{stem}.{INPUT}"] = inputs
        examples |= {f"{stem}.{key}": value for key, value in expected.items()}
    with written_beside(folder / EXAMPLES) as beside:
        np.savez_compressed(beside, **examples)  # type: ignore[arg-type]
    return {name: sha256_of_file(folder / name) for name in (*names, EXAMPLES)}, worst


def logit_scale(member: Bundle) -> float:
    """Return what a member's logits are multiplied by; no other calibration than a temperature fits into a graph.

    Raises:
        BundleError: It has another one.
    """
    calibration = member.card.calibration
    if calibration.method == "none":
        return 1.0
    if calibration.method != "temperature":
        raise BundleError(
            f"{member.folder}: is calibrated by {calibration.method}, which cannot be averaged inside a graph; "
            "cross-validate with --set assess.calibration=temperature"
        )
    return 1 / calibration.numbers[0][0]


def _merged(paths: Sequence[Path], scales: Sequence[float]) -> bytes:
    import onnx
    from onnx import compose, helper, numpy_helper

    models = [onnx.load(str(path)) for path in paths]
    # Each network has features of its own: their mean says nothing.
    kept = [output for output in models[0].graph.output if output.name != FEATURES]
    outputs = [output.name for output in models[0].graph.output]
    nodes: list[Any] = []
    constants: list[Any] = []
    infos: list[Any] = []
    functions: list[Any] = []
    for number, (path, model) in enumerate(zip(paths, models, strict=True)):
        same = [output.name for output in model.graph.output] == outputs
        if not same or _sides(model) != _sides(models[0]) or model.opset_import != models[0].opset_import:
            raise BundleError(f"{path}: its inputs, outputs or operators are not those of {paths[0]}; they do not fit")
        own = compose.add_prefix(model, f"member{number}.")
        nodes.append(helper.make_node("Identity", [INPUT], [f"member{number}.{INPUT}"]))
        nodes += own.graph.node
        constants += own.graph.initializer
        infos += own.graph.value_info
        functions += own.functions
        if "logits" in outputs:
            constants.append(numpy_helper.from_array(np.float32(scales[number]).reshape(1), f"scale{number}"))
            nodes.append(
                helper.make_node("Mul", [f"member{number}.logits", f"scale{number}"], [f"member{number}.scaled"])
            )
    for name in (output.name for output in kept):
        of = "scaled" if name == "logits" else name
        nodes.append(helper.make_node("Mean", [f"member{number}.{of}" for number in range(len(models))], [name]))
    first = models[0].graph
    graph = helper.make_graph(nodes, "members", first.input, kept, constants, value_info=infos)
    merged = helper.make_model(graph, opset_imports=models[0].opset_import, functions=functions)
    merged.ir_version = models[0].ir_version
    onnx.checker.check_model(merged)
    content: bytes = merged.SerializeToString()
    return content


def _sides(model: Any) -> list[tuple[int, ...]]:
    return [tuple(side.dim_value for side in one.type.tensor_type.shape.dim[1:]) for one in model.graph.input]


def _mean_examples(
    members: Sequence[Bundle], stem: str, scales: Sequence[float]
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
    """Return the example pictures, which are the same in each, and the mean of what the members said of them."""
    found: list[dict[str, NDArray[Any]]] = []
    for member, scale in zip(members, scales, strict=True):
        path = member.path(EXAMPLES)
        if path is None:
            raise BundleError(f"{member.folder}: holds no {EXAMPLES}; get the bundle again")
        with np.load(path) as saved:
            own = {key.removeprefix(f"{stem}."): saved[key] for key in saved.files if key.startswith(f"{stem}.")}
        if "logits" in own:
            own["logits"] = own["logits"] * np.float32(scale)
        own.pop(FEATURES, None)
        found.append(own)
    inputs = found[0].pop(INPUT)
    return inputs, {key: np.mean([one[key] for one in found], axis=0) for key in found[0]}
