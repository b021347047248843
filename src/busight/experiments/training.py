"""From a recipe's built networks to a model without fitted decision: training, tuning, export."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from busight._version import __version__
from busight.audit.checked_dataset import CheckedDataset
from busight.data.citations import CITATIONS, UNKNOWN
from busight.data.split import Split
from busight.decision.decision import UNCALIBRATED, Decision
from busight.experiments.networks import BuiltNetwork, TrainedNetwork, train_classifier, train_segmenter
from busight.experiments.pretrained import training_digests_of_weights
from busight.experiments.tune_postprocess import decoder_probs, segmenter_probs, tune_postprocess
from busight.io.progress import Progress
from busight.model.algorithms import algorithms_of
from busight.model.bundle.card import (
    DECODER,
    SEGMENTER,
    Card,
    ClassifyPart,
    PreprocessPart,
    SegmentPart,
    SourcePart,
    TrainingPart,
)
from busight.model.bundle.export import TrainedGraph, export_networks
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.model.model import Model
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.segment.postprocess import PostprocessSettings
from busight.segment.settings import is_learned
from busight.strategies.segmenters import ClassicalSegmenter, MaskSource, NetworkSegmenter
from busight.strategies.strategy import Stages
from busight.strategies.views import InputSpec


@dataclass(slots=True)
class StageTimer:
    """Timer of the stages: seconds of each, in order."""

    progress: Progress
    seconds: list[tuple[str, float]] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        """Record the end of a stage."""
        now = time.monotonic()
        self.seconds.append((stage, now - self._last))
        self._last = now


def train_networks(
    built: dict[str, BuiltNetwork], recipe: Recipe, checked: CheckedDataset, split: Split, out: Path, timer: StageTimer
) -> tuple[Model, dict[str, TrainedNetwork]]:
    """Train the networks of a recipe and export them.

    Args:
        built: The networks with their initial weights.
        recipe: The recipe.
        checked: The data.
        split: The split of the data.
        out: Receives ``training/`` and ``bundle/``, whose card is not written yet.
        timer: Receives the stages.

    Returns:
        A model with the networks and tuned post-processing, without decision; and the trained networks, for the report.
    """
    work, folder = out / "training", out / "bundle"
    networks: dict[str, TrainedNetwork] = {}
    stages = Stages(roi=recipe.segment.roi, postprocess=recipe.segment.postprocess)
    if "segmenter" in built:
        networks["segmenter"] = train_segmenter(built["segmenter"], recipe, checked, split, work, timer.progress)
        timer.lap("training the segmenter")
    if recipe.strategy.segments_first:
        segmenter = _segmenter(recipe, networks, work)
        stages = replace(stages, segmenter=segmenter, postprocess=_tuned(recipe, checked, split, segmenter))
    if "classifier" in built:
        networks["classifier"] = train_classifier(
            built["classifier"], recipe, checked, split, stages, work, timer.progress
        )
        timer.lap("training the classifier")
    timer.progress.stage("bundle")
    classifier, of_segmenter = (_exported(networks.get(name)) for name in ("classifier", "segmenter"))
    files, difference = export_networks(folder, classifier, of_segmenter)
    weights = " ".join(f"{name.capitalize()}: {net.weights.sentence()}" for name, net in networks.items())
    timer.lap("bundle")
    card = draft_card(recipe, checked, split, files, difference, weights or "No trained network.")
    model = Model.of_card(folder, card.with_postprocess(stages.postprocess))
    if recipe.strategy.decodes_mask and recipe.segment.tune_postprocess_on == "validation":
        validation = checked.samples_of(split.val)
        tuned = tune_postprocess(decoder_probs(model), validation, checked.reader, recipe.segment.postprocess)
        model = model.with_card(model.card.with_postprocess(tuned))
    return model, networks


def _tuned(recipe: Recipe, checked: CheckedDataset, split: Split, segmenter: MaskSource) -> PostprocessSettings:
    given = recipe.segment.postprocess
    if recipe.segment.tune_postprocess_on == "none":
        return given
    mask_probs = segmenter_probs(recipe.preprocess(checked.dataset.image_spec), segmenter)
    return tune_postprocess(mask_probs, checked.samples_of(split.val), checked.reader, given)


def _segmenter(recipe: Recipe, networks: dict[str, TrainedNetwork], work: Path) -> MaskSource:
    """Open the recipe's segmenter as prediction does, a network as the exported graph."""
    settings = recipe.segment
    if not is_learned(settings.method):
        return ClassicalSegmenter(settings.method)
    if not (work / "graph" / SEGMENTER).is_file():
        export_networks(work / "graph", None, _exported(networks["segmenter"]))
    engine = OnnxRuntimeEngine(work / "graph" / SEGMENTER)
    return NetworkSegmenter(engine, InputSpec(settings.size, settings.keep_aspect), settings.tta)


def _exported(trained: TrainedNetwork | None) -> TrainedGraph | None:
    return None if trained is None else TrainedGraph(trained.network, trained.size, trained.channels)


def draft_card(
    recipe: Recipe, checked: CheckedDataset, split: Split, files: dict[str, str], difference: float, weights: str
) -> Card:
    """Return the card of exported networks, without decision.

    Args:
        recipe: The recipe.
        checked: The data.
        split: The split of the data.
        files: SHA-256 of the exported files.
        difference: Largest difference between networks and graphs.
        weights: Where the initial weights came from, in words.
    """
    image = checked.dataset.image_spec
    preprocess = recipe.preprocess(image)
    strategy, decision = recipe.strategy, Decision(calibration=UNCALIBRATED)
    classical = strategy.segments_first and not is_learned(recipe.segment.method)
    return Card(
        name=recipe.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        busight=__version__,
        preprocess=PreprocessPart(image=image, chain=preprocess.chain_text, channels=preprocess.channel_texts),
        task=recipe.classify.task,
        labels=checked.labels.for_task(recipe.classify.task),
        strategy=strategy.name,
        segment=_segment_part(recipe),
        classify=_classify_part(recipe),
        decision=decision,
        algorithms=algorithms_of(decision, classical=classical, use_proposal=recipe.classify.use_proposal),
        training=TrainingPart(
            source=checked.dataset.name,
            sources=_sources(checked, split),
            images=len(split.train),
            digests=tuple(sorted(_training_digests(checked, split) | training_digests_of_weights(recipe))),
            data_digest=checked.digest,
            split_kind=split.kind,
            split_digest=split.digest,
            weights=weights,
            recipe=recipe_toml(recipe),
        ),
        onnx_max_abs_diff=difference,
        files=files,
    )


def _training_digests(checked: CheckedDataset, split: Split) -> frozenset[str]:
    ids = {*split.train, *split.val}
    return frozenset().union(*(entry.digest_aliases for entry in checked.rows if entry.sample.sample_id in ids))


def _segment_part(recipe: Recipe) -> SegmentPart | None:
    settings, strategy = recipe.segment, recipe.strategy
    postprocess, roi = settings.postprocess, settings.roi
    if strategy.decodes_mask:
        return SegmentPart(method=DECODER, input=None, postprocess=postprocess, roi=roi)
    if not strategy.segments_first:
        return None
    if not is_learned(settings.method):
        return SegmentPart(method=settings.method, input=None, postprocess=postprocess, roi=roi)
    spec = InputSpec(settings.size, settings.keep_aspect)
    return SegmentPart(method=settings.method, input=spec, tta=settings.tta, postprocess=postprocess, roi=roi)


def _classify_part(recipe: Recipe) -> ClassifyPart | None:
    if not recipe.classifies:
        return None
    settings = recipe.classify
    spec = InputSpec(settings.size, settings.keep_aspect)
    return ClassifyPart(input=spec, tta=settings.tta, use_proposal=settings.use_proposal)


def _sources(checked: CheckedDataset, split: Split) -> tuple[SourcePart, ...]:
    counts = Counter(sample.source for sample in checked.samples_of({*split.train, *split.val}))
    known = {name: CITATIONS.get(name, UNKNOWN) for name in counts}
    return tuple(
        SourcePart(name=name, images=count, citation=known[name].text, licence=known[name].licence)
        for name, count in sorted(counts.items())
    )
