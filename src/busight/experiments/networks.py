"""The networks of a recipe: building and fitting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from busight.audit.checked_dataset import CheckedDataset
from busight.classify.network import Network, build_classifier, build_segmenter
from busight.classify.weights import LoadedWeights, load_weights
from busight.data.split import Split
from busight.experiments.prepare import prepare
from busight.experiments.training_views import (
    ChooseView,
    first_view,
    lesion_crop,
    lesion_free_crop,
    training_view,
    whole_view,
)
from busight.io.progress import Progress
from busight.recipes.schema import Recipe
from busight.results.history import History
from busight.segment.settings import is_learned
from busight.strategies.strategy import Stages
from busight.strategies.views import InputSpec
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, concat


@dataclass(frozen=True, slots=True, eq=False)
class BuiltNetwork:
    """A network with its initial weights."""

    network: Network
    weights: LoadedWeights


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """A fitted network with its facts for the report.

    Attributes:
        network: The network.
        size: Side of its input in pixels.
        channels: Channels of its input, 1 or 3.
        weights: Its initial weights.
        history: Its training history.
        parameters: Number of its parameters.
    """

    network: Network
    size: int
    channels: int
    weights: LoadedWeights
    history: History
    parameters: int


def build_networks(recipe: Recipe, n_classes: int) -> dict[str, BuiltNetwork]:
    """Build every network that a recipe trains and load its initial weights.

    This is the first step, so that an unknown backbone or unavailable weights are not reported after an hour.

    Args:
        recipe: The recipe.
        n_classes: Classes of its task.

    Returns:
        ``"segmenter"`` and ``"classifier"``, as far as the recipe has them.

    Raises:
        ConfigError: A network cannot be built.
        WeightsError: Weights are not available or do not fit.
    """
    built: dict[str, BuiltNetwork] = {}
    segment, classify, strategy = recipe.segment, recipe.classify, recipe.strategy
    if strategy.segments_first and is_learned(segment.method):
        torch.manual_seed(recipe.train.seed)
        network: Network = build_segmenter(segment)
        built["segmenter"] = BuiltNetwork(network, load_weights(network, segment.weights, segment.encoder))
    if recipe.classifies:
        torch.manual_seed(recipe.train.seed)
        network = build_classifier(classify, n_classes, segment if strategy.decodes_mask else None)
        built["classifier"] = BuiltNetwork(network, load_weights(network, classify.weights, classify.backbone))
    return built


def train_segmenter(
    built: BuiltNetwork, recipe: Recipe, checked: CheckedDataset, split: Split, work: Path, progress: Progress
) -> TrainedNetwork:
    """Fit the recipe's segmenter on the annotated masks of the training subset."""
    settings = recipe.segment
    progress.stage("segment: training")
    annotated = {entry.sample.sample_id for entry in checked.rows if entry.mask_digest}
    fitting, choosing = ([i for i in ids if i in annotated] for ids in (split.train, split.val))
    prepared = prepare(
        checked,
        (*fitting, *choosing),
        recipe.preprocess(checked.dataset.image_spec),
        whole_view,
        InputSpec(settings.size, settings.keep_aspect),
        None,
        work / "segmenter" / "arrays",
        progress,
    )
    train = replace(recipe.train, epochs=settings.epochs, learning_rate=settings.learning_rate)
    parts = prepared.subset(fitting), prepared.subset(choosing)
    history = fit(built.network, "segmenter", *parts, train, work / "segmenter", progress.line)
    return _trained(built, settings.size, recipe.preprocess(checked.dataset.image_spec).n_channels, history)


def train_classifier(
    built: BuiltNetwork,
    recipe: Recipe,
    checked: CheckedDataset,
    split: Split,
    stages: Stages,
    work: Path,
    progress: Progress,
) -> TrainedNetwork:
    """Fit the recipe's classifier on the views of prediction, local ones too where the strategy has them.

    Args:
        built: The network.
        recipe: The recipe.
        checked: The data.
        split: Its training and validation subset are used.
        stages: The segmenter before the classifier, as in prediction.
        work: Folder for arrays and checkpoints.
        progress: Receives stages, ticks and lines.
    """
    progress.stage("classify: training")
    arrays = work / "classifier" / "arrays"
    choose = first_view(recipe.strategy, stages)
    prepared = _prepared(recipe, checked, (*split.train, *split.val), choose, arrays, progress)
    fitting, choosing = (prepared.subset(ids) for ids in (split.train, split.val))
    crops, views = recipe.train.crops, [1.0]
    if recipe.strategy.local_views and not crops.drawn:
        local = training_view(recipe.segment.roi.margin, np.random.default_rng(recipe.train.seed))
        near = _prepared(recipe, checked, split.train, local, arrays / "local", progress)
        # The epoch is chosen on whole images: local views of validation images would need their predicted masks.
        fitting = concat(fitting, near.subset(split.train))
    for kind, share in ((lesion_free_crop, crops.lesion_free), (lesion_crop, crops.lesion)):
        if share:
            choose = kind(np.random.default_rng([recipe.train.seed, len(views)]))
            cut = _prepared(recipe, checked, split.train, choose, arrays / kind.__name__, progress)
            fitting = concat(fitting, _relabelled(cut.subset(split.train), recipe, checked))
            views.append(share)
    views[0] -= sum(views[1:])
    history = fit(
        built.network,
        "classifier",
        fitting,
        choosing,
        recipe.train,
        work / "classifier",
        progress.line,
        mask_channel=recipe.strategy.mask_channel,
        views=views,
    )
    channels = 3 if recipe.strategy.mask_channel else recipe.preprocess(checked.dataset.image_spec).n_channels
    return _trained(built, recipe.classify.size, channels, history)


def _relabelled(crops: PreparedSet, recipe: Recipe, checked: CheckedDataset) -> PreparedSet:
    """Return crops, those without a lesion with the target of images without one; unchanged without such a class."""
    if not checked.labels.without_lesion:
        return crops
    shows = np.array([crops.masks[[row]].any() for row in range(len(crops))])
    free = crops.mask_known & ~shows & (crops.targets >= 0)
    target = checked.labels.for_task(recipe.classify.task).index(checked.labels.without_lesion[0])
    return replace(crops, targets=np.where(free, target, crops.targets))


def _prepared(
    recipe: Recipe,
    checked: CheckedDataset,
    sample_ids: tuple[str, ...],
    choose: ChooseView,
    folder: Path,
    progress: Progress,
) -> PreparedSet:
    settings = recipe.classify
    return prepare(
        checked,
        sample_ids,
        recipe.preprocess(checked.dataset.image_spec),
        choose,
        InputSpec(settings.size, settings.keep_aspect),
        checked.labels.for_task(settings.task),
        folder,
        progress,
    )


def _trained(built: BuiltNetwork, size: int, channels: int, history: History) -> TrainedNetwork:
    parameters = sum(parameter.numel() for parameter in built.network.parameters())
    return TrainedNetwork(built.network, size, channels, built.weights, history, parameters)
