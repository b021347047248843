"""PyTorch as an engine: on a GPU where there is one."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from busight.classify.network import Network, NetworkOutput, build_classifier, build_segmenter
from busight.classify.settings import ClassifySettings
from busight.errors import BundleError, ConfigError
from busight.model.bundle.card import CLASSIFIER, WEIGHTS, Card
from busight.model.engines.batched import INPUT, BatchedEngine
from busight.segment.settings import SegmentSettings
from busight.strategies.catalogue import strategy_of


class PyTorchEngine(BatchedEngine):
    """A network in PyTorch, on the first GPU or on the CPU."""

    def __init__(self, network: Network, input_shape: tuple[int, ...], threads: int, batch: int, path: Path) -> None:
        """Move a network to its device.

        Args:
            network: The network, which is put into evaluation mode.
            input_shape: Channels, height and width of an input.
            threads: Threads of one operator on the CPU, of this whole process; 0 lets PyTorch choose.
            batch: Largest number of inputs in one run.
            path: Its weights, for messages.
        """
        if threads:
            torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().to(self._device).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            outputs = named_outputs(self._network(torch.zeros(1, *input_shape, device=self._device)))
        shapes = {name: tuple(values.shape[1:]) for name, values in outputs.items()}
        super().__init__(path, {INPUT: input_shape}, shapes, batch)

    def _run(self, batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        images = torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            outputs = named_outputs(self._network(images))
        return [values.cpu().contiguous().numpy() for values in outputs.values()]


def named_outputs(output: NetworkOutput) -> dict[str, Tensor]:
    """Return what a network gives as the outputs of its graph, in their order; the mask as probabilities."""
    mask_probs = None if output.mask_logits is None else torch.sigmoid(output.mask_logits)
    named = {"logits": output.logits, "activation": output.activation, "features": output.features}
    return {name: values for name, values in {**named, "mask_probs": mask_probs}.items() if values is not None}


def open_pytorch(
    folder: Path, card: Card, graph: str, input_shape: tuple[int, ...], threads: int, batch: int
) -> PyTorchEngine:
    """Build the network of a bundle anew from its recipe and load its weights.

    Args:
        folder: The bundle.
        card: Its card.
        graph: Name of the network's graph.
        input_shape: Channels, height and width of an input.
        threads: Threads of one operator; 0 lets PyTorch choose.
        batch: Largest number of inputs in one run.

    Raises:
        BundleError: The bundle is an ensemble, or its weights do not fit the network of its recipe.
    """
    if WEIGHTS not in card.files:
        raise BundleError(f"{folder}: holds no {WEIGHTS}; choose another engine, e.g. onnxruntime")
    try:
        network = _build(card, graph)
        network.load_state_dict(_tensors(folder / WEIGHTS, Path(graph).stem))
    except (ConfigError, ValidationError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(
            f"{folder}: its weights are not those of its recipe ({reason}); get the bundle again"
        ) from error
    return PyTorchEngine(network, input_shape, threads, batch, folder / WEIGHTS)


def _build(card: Card, graph: str) -> Network:
    recipe = tomllib.loads(card.training.recipe)
    segment = TypeAdapter(SegmentSettings).validate_python(recipe.get("segment", {}))
    if graph != CLASSIFIER:
        return build_segmenter(segment)
    classify = TypeAdapter(ClassifySettings).validate_python(recipe.get("classify", {}))
    decoder = segment if strategy_of(card.strategy).decodes_mask else None
    return build_classifier(classify, len(card.labels.names), decoder)


def _tensors(path: Path, stem: str) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    prefix = f"{stem}."
    return {key.removeprefix(prefix): value for key, value in load_file(path).items() if key.startswith(prefix)}
