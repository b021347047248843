"""Models as training makes them, but with random weights: for speed it does not matter what a network has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.classify.network import Network
from busight.data.sources.catalogue import load_data
from busight.data.split import Split, make_split
from busight.decision.fit import CalibrationCases, fit_decision
from busight.experiments.networks import build_networks
from busight.experiments.training import draft_card
from busight.experiments.training_images import with_training_images
from busight.io.atomic import write_bytes
from busight.io.progress import Progress, Silent
from busight.model.bundle.export import TrainedGraph, export_networks
from busight.model.bundle.finish import finished
from busight.model.model import Model
from busight.preprocess.resize import as_network_input, resize_or_pad
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.types import Image

HEIGHT, WIDTH = 500, 600
"""Pixels of the image files: BUSI's mean is 500×600."""


def untrained_recipe(backbone: str, size: int) -> Recipe:
    """Return the recipe ``paper`` with random weights and without filters: U-Net, region, backbone."""
    changes = {"classify.backbone": backbone, "classify.size": size, "classify.weights": "none", "enhance.chain": "''"}
    return load_recipe("paper", [f"{key}={value}" for key, value in changes.items()])


def untrained_model(recipe: Recipe, folder: Path, phantoms: int) -> tuple[Model, Network]:
    """Write the bundle of an untrained two-stage model, everything else fitted on phantoms as training fits it.

    Args:
        recipe: Of `untrained_recipe`.
        folder: A new folder.
        phantoms: Phantoms that calibration, detector and feature bank are fitted on.

    Returns:
        The model, in ONNX Runtime, and the classifier's network.
    """
    checked = check_dataset(load_data(f"phantom:{phantoms},size=256,seed=1"), Silent())
    split = make_split(checked.samples, checked.groups, recipe.split)
    built = build_networks(recipe, len(checked.labels.for_task(recipe.classify.task).names))
    classifier, segmenter = built["classifier"].network, built["segmenter"].network
    images = [checked.reader.image(sample) for sample in checked.samples[:16]]
    _fit_batch_norm(classifier, images, recipe.classify.size)
    _fit_batch_norm(segmenter, images, recipe.segment.size)
    graphs = TrainedGraph(classifier, recipe.classify.size, 1), TrainedGraph(segmenter, recipe.segment.size, 1)
    files, difference = export_networks(folder, *graphs)
    model = Model.of_card(folder, draft_card(recipe, checked, split, files, difference, "No trained network."))
    model = with_training_images(model, checked, split, 0.0, Silent())
    decision = fit_decision(model.decision, _cases(model, checked, split), model.labels, recipe.assess)
    return finished(model.with_card(model.card.changed(decision=decision))), classifier


def without_segmentation(model: Model, folder: Path) -> Model:
    """Save a two-stage model as one of whole images, with the same classifier, to a new folder."""
    decision = model.decision.model_copy(update={"fusion": None})
    files = {
        name: digest for name, digest in model.card.files.items() if not name.startswith(("segmenter", "examples"))
    }
    card = model.card.changed(strategy="whole", segment=None, decision=decision, files=files)
    return replace(model, card=card).save(folder)


def write_phantoms(folder: Path, count: int, progress: Progress) -> list[Path]:
    """Write phantoms as PNG files of 500×600 pixels in 8-bit grey, and return their paths."""
    data = load_data(f"phantom:{count},size={HEIGHT},seed=2")
    paths = []
    for number, sample in enumerate(data.samples):
        image = cv2.resize(data.reader.image(sample), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        path = folder / f"{number:04}.png"
        write_bytes(path, cv2.imencode(".png", image)[1].tobytes())
        paths.append(path)
        progress.tick(number + 1, count)
    return paths


def _fit_batch_norm(network: nn.Module, images: Sequence[Image], size: int) -> None:
    """Set the statistics of batch normalisation from images, as training does.

    With the initial ones the activations of a deep network with random weights grow beyond half precision.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # one batch alone
    batch = as_network_input(np.stack([resize_or_pad(image, size, keep_aspect=False) for image in images]))
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(batch))
    network.eval()


def _cases(model: Model, checked: CheckedDataset, split: Split) -> CalibrationCases:
    samples = checked.samples_of(split.val)
    classes: Sequence[str] = model.labels.names
    _, raws = model.infer([checked.reader.image(sample) for sample in samples])
    return CalibrationCases(
        logits=np.array([raw.logits for raw in raws]),
        target=np.array([classes.index(str(model.labels.class_of(sample.label))) for sample in samples], np.int64),
        groups=[sample.sample_id for sample in samples],
        source=f"{len(samples)} phantoms, by networks that learned nothing",
    )
