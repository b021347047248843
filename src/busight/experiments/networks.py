"""The training stages of a run: prepare arrays, build a network, fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from busight.audit.checked_dataset import Material
from busight.classify.network import Network, build_classifier, build_segmenter
from busight.classify.weights import LoadedWeights, load_weights
from busight.data.labels import TASKS
from busight.data.split import Split
from busight.experiments.prepare import Marking, PreparedSet, Region, prepare, training_region, whole_image
from busight.io.progress import Progress
from busight.recipes.schema import Recipe
from busight.results.history import History
from busight.segment.settings import is_learned
from busight.train.fit import fit
from busight.train.prepared import joined
from busight.types import Sample


@dataclass(frozen=True, slots=True, eq=False)
class BuiltNetwork:
    """A network with its initial weights."""

    network: Network
    weights: LoadedWeights


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """A fitted network with what the report tells of it."""

    network: Network
    size: int
    channels: int
    weights: LoadedWeights
    history: History
    parameters: int


def build_networks(recipe: Recipe) -> dict[str, BuiltNetwork]:
    """Build every network that a recipe trains and load its initial weights.

    This comes before any other work: a backbone that does not exist, or weights that cannot be had, shall not be
    noticed after an hour.

    Returns:
        ``"segmenter"`` and ``"classifier"``, those that the recipe has.

    Raises:
        ConfigError: A network cannot be built.
        WeightsError: Weights cannot be had or do not fit.
    """
    built: dict[str, BuiltNetwork] = {}
    segment, classify = recipe.segment, recipe.classify
    if recipe.segments and is_learned(segment.method):
        torch.manual_seed(recipe.train.seed)
        network: Network = build_segmenter(segment)
        built["segmenter"] = BuiltNetwork(network, load_weights(network, segment.weights, segment.encoder))
    if classify.task != "segmentation":
        torch.manual_seed(recipe.train.seed)
        network = build_classifier(classify, len(TASKS[classify.task].classes), segment)
        built["classifier"] = BuiltNetwork(network, load_weights(network, classify.weights, classify.backbone))
    return built


def train_segmenter(
    built: BuiltNetwork, recipe: Recipe, material: Material, split: Split, work: Path, progress: Progress
) -> TrainedNetwork:
    """Fit the recipe's segmenter on the drawn masks of the training part."""
    settings = recipe.segment
    progress.stage("segment: training")
    drawn = _with_masks(material)
    prepared = prepare(
        [sample for sample in material.samples if sample.sample_id in drawn],
        material.inspection.dataset.reader,
        recipe.enhance.parsed(),
        whole_image,
        settings.size,
        settings.keep_aspect,
        None,
        work / "segmenter" / "arrays",
        progress,
    )
    train = replace(recipe.train, epochs=settings.epochs, learning_rate=settings.learning_rate)
    fitting, choosing = (prepared.part([i for i in ids if i in drawn]) for ids in (split.train, split.val))
    history = fit(built.network, "segmenter", fitting, choosing, train, work / "segmenter", progress.line)
    return _trained(built, settings.size, recipe.enhance.parsed().n_channels, history)


def train_classifier(
    built: BuiltNetwork,
    recipe: Recipe,
    material: Material,
    split: Split,
    region: Region,
    marking: Marking | None,
    work: Path,
    progress: Progress,
) -> TrainedNetwork:
    """Fit the recipe's classifier on what prediction will show it; ``zoom`` on both looks at each image."""
    settings = recipe.classify
    progress.stage("classify: training")
    arrays = work / "classifier" / "arrays"
    prepared = _prepared(recipe, material.samples, material, region, arrays, progress, marking)
    fitting, choosing = (prepared.part(ids) for ids in (split.train, split.val))
    if settings.lesion == "zoom":
        trained = set(split.train)
        samples = [sample for sample in material.samples if sample.sample_id in trained]
        closer = training_region(recipe.segment.roi.margin, np.random.default_rng(recipe.train.seed))
        near = _prepared(recipe, samples, material, closer, arrays / "near", progress)
        # The epoch is chosen on whole images: a second look at validation images would need their predicted masks.
        fitting = joined(fitting, near.part(split.train))
    history = fit(
        built.network,
        "classifier",
        fitting,
        choosing,
        recipe.train,
        work / "classifier",
        progress.line,
        mask_channel=settings.lesion == "mask-channel",
    )
    return _trained(built, settings.size, recipe.classifier_channels, history)


def _prepared(
    recipe: Recipe,
    samples: Sequence[Sample],
    material: Material,
    region: Region,
    folder: Path,
    progress: Progress,
    marking: Marking | None = None,
) -> PreparedSet:
    settings = recipe.classify
    return prepare(
        samples,
        material.inspection.dataset.reader,
        recipe.enhance.parsed(),
        region,
        settings.size,
        settings.keep_aspect,
        TASKS[settings.task],
        folder,
        progress,
        marking,
    )


def _with_masks(material: Material) -> set[str]:
    return {entry.sample.sample_id for entry in material.inspection.entries if entry.mask_digest}


def _trained(built: BuiltNetwork, size: int, channels: int, history: History) -> TrainedNetwork:
    parameters = sum(parameter.numel() for parameter in built.network.parameters())
    return TrainedNetwork(built.network, size, channels, built.weights, history, parameters)
