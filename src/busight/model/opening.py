"""From a bundle's card and files to the stages that its strategy runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from busight.errors import BundleError, ConfigError
from busight.model.algorithms import require_same
from busight.model.bundle.card import CLASSIFIER, FEATURES, SEGMENTER, Card, ClassifyPart, member_file
from busight.model.bundle.feature_bank import FeatureBank, read_features
from busight.model.engines.catalogue import AUTO, EngineSettings, GraphSource, open_graph
from busight.model.engines.ensemble import EnsembleEngine
from busight.model.engines.fastest import fastest
from busight.preprocess.pipeline import Preprocess, parse_preprocess
from busight.segment.settings import is_learned
from busight.strategies.catalogue import strategy_of
from busight.strategies.engine import Engine
from busight.strategies.segmenters import ClassicalSegmenter, MaskSource, NetworkSegmenter
from busight.strategies.strategy import Stages

Shape = tuple[int | None, ...]
"""Shape of a graph's output without the batch; None where any side will do."""

MAP: Shape = (1, None, None)


def open_stages(folder: Path, card: Card, settings: EngineSettings) -> tuple[Preprocess, Stages, EngineSettings]:
    """Open the preprocessing and stages of a card, and return them with the engine that was chosen.

    Args:
        folder: The folder of the bundle.
        card: Its card.
        settings: How the graphs are run.

    Raises:
        BundleError: A file that the card needs is missing, a graph or the filter chain does not fit the card, or an
            algorithm has another version.
    """
    require_same(card.algorithms, str(folder), card.busight)
    try:
        preprocess = parse_preprocess(card.preprocess.chain, card.preprocess.channels, card.preprocess.image)
        strategy = strategy_of(card.strategy)
    except ConfigError as error:
        raise BundleError(f"{folder}: {error}; update busight or get the bundle again") from error
    settings = _chosen(folder, card, settings)
    classifier, n_classes = None, len(card.labels.names)
    if (classify := card.classify) is not None:
        channels = 3 if strategy.mask_channel else preprocess.n_channels
        outputs: dict[str, Shape] = {"logits": (n_classes,), "activation": (n_classes, None, None)}
        outputs |= {"mask_probs": MAP} if strategy.decodes_mask else {}
        shape = (channels, classify.input.size, classify.input.size)
        classifier = _engine(folder, card, CLASSIFIER, settings, shape, outputs)
    if (strategy.segments_first or strategy.decodes_mask) and card.segment is None:
        raise BundleError(f"{folder}: the strategy {card.strategy} needs a segmentation, which the card has not")
    segmenter = _segmenter(folder, card, settings, preprocess.n_channels) if strategy.segments_first else None
    return preprocess, _stages(card, classify, classifier, segmenter), settings


def _chosen(folder: Path, card: Card, settings: EngineSettings) -> EngineSettings:
    """Return the settings with the quickest engine for the bundle's first graph in place of ``auto``."""
    if settings.name != AUTO:
        return settings
    graphs = sorted(name for name in card.files if name.endswith(".onnx") and (folder / name).is_file())
    if not graphs:
        return replace(settings, name=EngineSettings().name)
    return fastest(GraphSource(folder, card, graphs[0], ()), settings)


def _stages(
    card: Card, classify: ClassifyPart | None, classifier: Engine | None, segmenter: MaskSource | None
) -> Stages:
    stages = Stages(segmenter=segmenter)
    if card.segment is not None:
        stages = replace(stages, postprocess=card.segment.postprocess, roi=card.segment.roi)
    if classify is None:
        return stages
    return replace(
        stages, classifier=classifier, input=classify.input, tta=classify.tta, use_proposal=classify.use_proposal
    )


def _segmenter(folder: Path, card: Card, settings: EngineSettings, channels: int) -> MaskSource:
    segment = card.segment
    if segment is None or segment.method == "decoder":
        raise BundleError(f"{folder}: the strategy {card.strategy} needs a segmenter of its own; get the bundle again")
    if not is_learned(segment.method):
        return ClassicalSegmenter(segment.method)
    if segment.input is None:
        raise BundleError(f"{folder}: the card names a network without an input size; get the bundle again")
    shape = (channels, segment.input.size, segment.input.size)
    engine = _engine(folder, card, SEGMENTER, settings, shape, {"mask_probs": MAP})
    return NetworkSegmenter(engine, segment.input, segment.tta)


def _engine(
    folder: Path,
    card: Card,
    graph: str,
    settings: EngineSettings,
    shape: tuple[int, ...],
    outputs: Mapping[str, Shape],
) -> Engine:
    """Open a graph, or those of an ensemble's members, and check inputs and outputs against the card."""
    factors = card.inverse_temperatures
    names = [member_file(graph, number + 1) for number in range(len(factors))] or [graph]
    engines = []
    for name in names:
        source = GraphSource(folder, card, name, shape)
        source.file(name)  # whichever engine is chosen, a bundle without its graph is not whole
        engine = open_graph(source, settings)
        known = engine.output_shapes
        as_named = all(key in known and _matches(known[key], wanted) for key, wanted in outputs.items())
        if engine.input_shape != shape or not as_named:
            raise BundleError(
                f"{folder / name}: its inputs or outputs are not those that the card names; get the bundle again"
            )
        engines.append(engine)
    return EnsembleEngine(engines, factors) if factors else engines[0]


def _matches(shape: tuple[int, ...], wanted: Shape) -> bool:
    as_wanted = len(shape) == len(wanted) and all(
        side in (None, given) for side, given in zip(wanted, shape, strict=True)
    )
    # A map is as square as the input.
    return as_wanted and (len(shape) < 3 or shape[-1] == shape[-2])


def read_bank(folder: Path, card: Card, stages: Stages) -> FeatureBank | None:
    """Read the feature bank of a bundle; None where it has none.

    Raises:
        BundleError: The feature bank is damaged, or of another network.
    """
    if FEATURES not in card.files:
        return None
    bank = read_features(folder / FEATURES)
    width = () if stages.classifier is None else stages.classifier.output_shapes.get("features", ())
    if width != bank.features.shape[1:]:
        raise BundleError(f"{folder / FEATURES}: its features are of another network; copy the whole folder again")
    return bank
