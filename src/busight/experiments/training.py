"""From built networks to a bundle whose card waits for its calibration: training, choosing, export."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from busight.audit.checked_dataset import Material
from busight.data.split import Split
from busight.experiments import assemble
from busight.experiments.networks import BuiltNetwork, TrainedNetwork, train_classifier, train_segmenter
from busight.experiments.prepare import Marking, Region, predicted_marking, predicted_region, whole_image
from busight.experiments.tune_postprocess import choose_postprocess, look_with
from busight.io.progress import Progress
from busight.model.bundle.card import SEGMENTER
from busight.model.bundle.export import ExportPart, export_networks
from busight.model.bundle.load import Bundle
from busight.recipes.schema import Recipe
from busight.segment.settings import SegmentSettings, is_learned
from busight.strategies.segmenters import ClassicalSegmenter, GraphSegmenter, Segmenter


@dataclass(slots=True)
class Clock:
    """Seconds of each stage, in order."""

    progress: Progress
    seconds: list[tuple[str, float]] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        """Note that a stage has ended now."""
        now = time.monotonic()
        self.seconds.append((stage, now - self._last))
        self._last = now


def train_networks(
    built: dict[str, BuiltNetwork], recipe: Recipe, material: Material, split: Split, out: Path, clock: Clock
) -> tuple[Bundle, dict[str, TrainedNetwork]]:
    """Train what there is to train and export it. The card stays in memory until its calibration is known."""
    work, folder, progress = out / "training", out / "bundle", clock.progress
    networks: dict[str, TrainedNetwork] = {}
    if "segmenter" in built:
        networks["segmenter"] = train_segmenter(built["segmenter"], recipe, material, split, work, progress)
        clock.lap("training the segmenter")
    chosen = recipe.segment.postprocess
    if recipe.segments and recipe.segment.choose == "validation":
        look = look_with(recipe.enhance.parsed(), _segmenter(recipe, networks, work))
        reader = material.inspection.dataset.reader
        chosen = choose_postprocess(look, material.samples_of(split.val), reader, chosen)
    if "classifier" in built:
        region, marking = _shown(recipe, networks, work, replace(recipe.segment, postprocess=chosen))
        networks["classifier"] = train_classifier(
            built["classifier"], recipe, material, split, region, marking, work, progress
        )
        clock.lap("training the classifier")
    clock.progress.stage("bundle")
    classifier, segmenter = (_exported(networks.get(name)) for name in ("classifier", "segmenter"))
    files, parity = export_networks(folder, classifier, segmenter)
    sentence = " ".join(f"{name.capitalize()}: {net.weights.sentence()}" for name, net in networks.items())
    exported = assemble.Exported(files, parity, sentence or "No trained network.")
    clock.lap("bundle")
    card = assemble.draft_card(recipe, material, split, exported).with_postprocess(chosen)
    return Bundle(folder, card), networks


def _shown(
    recipe: Recipe, networks: dict[str, TrainedNetwork], work: Path, segment: SegmentSettings
) -> tuple[Region, Marking | None]:
    """Say what the classifier is shown: which part of a picture, and how the lesion is marked in it."""
    use = recipe.classify.lesion
    if not recipe.classify.needs_mask:
        return whole_image, None
    segmenter = _segmenter(recipe, networks, work)
    if use == "two-stage":
        return predicted_region(segmenter, segment), None
    return whole_image, predicted_marking(use, segmenter, segment)


def _segmenter(recipe: Recipe, networks: dict[str, TrainedNetwork], work: Path) -> Segmenter:
    """Open the recipe's segmenter exactly as prediction will, a network as the exported graph."""
    settings = recipe.segment
    if not is_learned(settings.method):
        return ClassicalSegmenter(settings.method)
    import onnxruntime

    if not (work / "graph" / SEGMENTER).is_file():
        export_networks(work / "graph", None, _exported(networks["segmenter"]))
    session = onnxruntime.InferenceSession(str(work / "graph" / SEGMENTER), providers=["CPUExecutionProvider"])
    return GraphSegmenter(session, settings.size, settings.keep_aspect, settings.test_flip)


def _exported(trained: TrainedNetwork | None) -> ExportPart | None:
    return None if trained is None else ExportPart(trained.network, trained.size, trained.channels)
