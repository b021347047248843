"""Export of trained networks to ONNX graphs, with examples that verify their agreement."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from busight.classify.network import Network
from busight.io.atomic import write_bytes, written_beside
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import CLASSIFIER, GRAPH_EXAMPLES, SEGMENTER, WEIGHTS
from busight.model.bundle.graph_examples import graph_difference
from busight.model.engines.pytorch import named_outputs
from busight.preprocess.resize import as_network_input

_EXAMPLES = 4

OPSET = 18
"""The version of ONNX's operators, of December 2022: every engine reads it."""


class TrainedGraph(NamedTuple):
    """A network to export, with the side and the channels, 1 or 3, of its input."""

    network: Network
    size: int
    channels: int


class _Graph(nn.Module):
    """The exported module: only the outputs that the network has, the mask as probability."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(named_outputs(self.network(images)).values())


def export_networks(
    folder: Path, classifier: TrainedGraph | None, segmenter: TrainedGraph | None
) -> tuple[dict[str, str], float]:
    """Write the graphs, the weights and the examples of a bundle.

    Args:
        folder: The bundle's folder.
        classifier: The classifier; None without one.
        segmenter: A segmenter with a graph of its own; None without one.

    Returns:
        SHA-256 of each file, and the largest difference between network and graph on the examples.

    Raises:
        BundleError: The outputs of a graph differ from its network's.
        OutputError: A file could not be written.
    """
    parts = {CLASSIFIER: classifier, SEGMENTER: segmenter}
    tensors: dict[str, Tensor] = {}
    examples: dict[str, NDArray[np.generic]] = {}
    worst = 0.0
    for name, part in parts.items():
        if part is None:
            continue
        network, size, channels = part
        network = network.cpu().eval().to(memory_format=torch.contiguous_format)
        stem = Path(name).stem
        tensors |= {f"{stem}.{key}": value.contiguous() for key, value in network.state_dict().items()}
        with written_beside(folder / name) as beside:
            names = _export(network, (channels, size, size), beside)
        inputs = _example_inputs(size, channels)
        expected = _run_network(network, inputs)
        worst = max(worst, graph_difference(folder / name, inputs, expected))
        examples[f"{stem}.images"] = inputs
        examples |= {f"{stem}.{key}": value for key, value in zip(names, expected, strict=True)}
    _write_weights(folder / WEIGHTS, tensors)
    with written_beside(folder / GRAPH_EXAMPLES) as beside:
        np.savez_compressed(beside, **examples)  # type: ignore[arg-type]
    written = [WEIGHTS, GRAPH_EXAMPLES, *(name for name, part in parts.items() if part is not None)]
    return {name: sha256_of_file(folder / name) for name in written}, worst


def _export(network: Network, shape: tuple[int, int, int], path: Path) -> list[str]:
    graph = _Graph(network).eval()
    example = torch.zeros(2, *shape)
    with torch.no_grad():
        names = list(named_outputs(network(example[:1])))
    with _quiet_exporter():
        # By TorchScript: a second instead of ten, with the same answers (docs/log/2026-11-training-speed.md). A batch
        # size that the trace has fixed is noticed at once: the graph is compared with the network on another one.
        torch.onnx.export(
            graph,
            (example,),
            str(path),
            input_names=["images"],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in ("images", *names)},
            opset_version=OPSET,
            dynamo=False,
        )
    return names


def _example_inputs(size: int, channels: int) -> NDArray[np.uint8]:
    """Return synthetic images, smooth random fields, the same ones in every bundle of this size.

    uint8 (N, S, S), or (N, S, S, 3).
    """
    rng = np.random.default_rng(20_24)
    coarse = rng.random((_EXAMPLES, channels, 12, 12), dtype=np.float32)
    smooth = nn.functional.interpolate(torch.from_numpy(coarse), size=(size, size), mode="bilinear")
    pictures = (smooth.numpy() * 255).astype(np.uint8)
    return pictures[:, 0] if channels == 1 else np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))


def _run_network(network: Network, inputs: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    with torch.no_grad():
        parts = _Graph(network).eval()(torch.from_numpy(as_network_input(inputs)))
    return [part.numpy() for part in parts]


def _write_weights(path: Path, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save

    write_bytes(path, save(tensors))


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
