"""Parts of a model fitted on its training images: feature bank, out-of-distribution detector, descriptor model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from busight.audit.checked_dataset import CheckedDataset
from busight.data.split import Split
from busight.decision.appearance import fit_appearance_detector
from busight.decision.fusion import DescriptorFusion, described_region
from busight.decision.ood import (
    NEIGHBOURS,
    OodDetector,
    feature_distance,
    feature_limit,
)
from busight.descriptors.lexicon import lexicon_digest
from busight.descriptors.model import fit_descriptor_model
from busight.errors import DataError
from busight.io.cores import in_threads
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress
from busight.metrics.image_statistics import image_statistics
from busight.metrics.layout import black_share, seam_strength
from busight.model.algorithms import algorithms_of
from busight.model.bundle.card import FEATURES
from busight.model.bundle.feature_bank import FeatureBank, read_features, write_features
from busight.model.model import BATCH, Model
from busight.preprocess.pipeline import PreparedImage
from busight.segment.settings import is_learned
from busight.strategies.strategy import RawOutput, proposal_of
from busight.types import FloatArray, Image, Sample


@dataclass(frozen=True, slots=True, eq=False)
class _Facts:
    """Features, statistics and descriptor inputs of one image of the training or the validation subset."""

    sample: Sample
    trained: bool
    statistics: FloatArray | None
    seam: float
    black: float
    features: NDArray[np.float32] | None
    descriptors: dict[str, float] | None


def with_training_images(
    model: Model, checked: CheckedDataset, split: Split, descriptor_weight: float, progress: Progress
) -> Model:
    """Write the feature bank beside the graphs, and fit out-of-distribution detector and descriptor model.

    Args:
        model: The model without decision.
        checked: The data; images of the training and the validation subset count.
        split: The split of the data.
        descriptor_weight: Weight of the descriptor model's log-odds in the fusion.
        progress: Receives a tick for each image.

    Returns:
        The model with a card that lists the file of the features and holds the detector and the fusion.

    Raises:
        OutputError: The features could not be written.
    """
    progress.stage("feature bank, out-of-distribution detector and descriptor model")
    facts: list[_Facts] = []
    chosen = checked.samples_of({*split.train, *split.val})
    train = frozenset(split.train)
    batches = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
    # In threads: while the network runs on one batch, the lesions of another are described.
    for of_batch in in_threads(lambda batch: _facts_of(batch, train, checked, model), batches):
        facts += of_batch
        progress.tick(len(facts), len(chosen))
    bank = _bank(facts, model)
    files = model.card.files
    if bank is not None:
        files = {**files, FEATURES: sha256_of_file(model.folder / FEATURES)}
    fusion = _fusion(facts, checked, model, descriptor_weight)
    if descriptor_weight and model.labels.lesion_pair is None:
        progress.line(f"warning: assess.descriptor_weight has no effect in the task {model.card.task}")
    elif descriptor_weight and (fusion is None or fusion.model is None):
        source = "the model has no masks" if fusion is None else fusion.source
        progress.line(f"warning: assess.descriptor_weight has no effect in this model; {source}")
    decision = model.decision.model_copy(update={"ood": _ood(facts, bank), "fusion": fusion})
    segment, classify = model.card.segment, model.card.classify
    algorithms = algorithms_of(
        decision,
        classical=model.strategy.segments_first and segment is not None and not is_learned(segment.method),
        use_proposal=classify is not None and classify.use_proposal,
    )
    return replace(
        model.with_card(model.card.changed(decision=decision, files=files, algorithms=algorithms)), bank=bank
    )


def _facts_of(samples: Sequence[Sample], train: frozenset[str], checked: CheckedDataset, model: Model) -> list[_Facts]:
    prepared_images = [model.preprocess(checked.reader.image(sample)) for sample in samples]
    # Mask and features are of the first view: the local views, two thirds of the default's arithmetic, are not run.
    raws = model.strategy.first_outputs(prepared_images, model.stages)

    def facts(sample: Sample, prepared: PreparedImage, raw: RawOutput) -> _Facts:
        """Return the facts of one image."""
        image, descriptors = prepared.image, None
        trained, grey = sample.sample_id in train, image.ndim == 2
        grades = model.labels.lesion_pair is not None and checked.labels.shows_lesion(sample.label)
        if trained and grey and grades:
            described = described_region(prepared.cropped, raw.mask, raw.mask_probs, proposal_of(prepared, raw))
            descriptors = None if described is None else described.inputs
        return _Facts(
            sample, trained, image_statistics(image) if grey else None, *_layout(image), raw.features, descriptors
        )

    return [facts(*item) for item in zip(samples, prepared_images, raws, strict=True)]


def _layout(image: Image) -> tuple[float, float]:
    return (seam_strength(image), black_share(image)) if image.ndim == 2 else (0.0, 0.0)


def _bank(facts: Sequence[_Facts], model: Model) -> FeatureBank | None:
    known = [(image.sample, image.features) for image in facts if image.trained and image.features is not None]
    if not known:
        return None
    features = np.array([features for _, features in known])
    labels = [str(sample.label) for sample, _ in known]
    write_features(model.folder / FEATURES, features, [sample.sample_id for sample, _ in known], labels)
    return read_features(model.folder / FEATURES)


def _ood(facts: Sequence[_Facts], bank: FeatureBank | None) -> OodDetector:
    source = f"{len(facts)} training and validation images"
    appearance = None
    grey = [image for image in facts if image.statistics is not None]
    statistics, seams, blacks = (
        np.array(values) for values in ([g.statistics for g in grey], [g.seam for g in grey], [g.black for g in grey])
    )
    try:
        appearance = fit_appearance_detector(statistics, seams, blacks)
        source += ", of which one in two hundred lies beyond the limit of appearance"
    except DataError as error:
        source = f"no appearance detector: {error}"
    fresh = [image.features for image in facts if not image.trained and image.features is not None]
    limit = None
    if bank is not None and fresh:
        limit = feature_limit(feature_distance(np.array(fresh), bank.features))
        source += f"; one in twenty of {len(fresh)} validation images has features farther away"
    return OodDetector(appearance, limit, NEIGHBOURS, source)


def _fusion(facts: Sequence[_Facts], checked: CheckedDataset, model: Model, weight: float) -> DescriptorFusion | None:
    """Fit the descriptor model on predicted masks, not on annotated ones."""
    if model.card.segment is None or model.labels.lesion_pair is None:
        return None
    lexicon = lexicon_digest()
    described = [(image.descriptors, image.sample.label) for image in facts if image.descriptors is not None]
    if not described:
        return DescriptorFusion(model=None, lexicon=lexicon, source="no outlined lesion to learn from")
    inputs = np.array([list(descriptors.values()) for descriptors, _ in described])
    positive = np.array([label == checked.labels.positive for _, label in described])
    try:
        fitted = fit_descriptor_model(list(described[0][0]), inputs, positive)
    except DataError as error:
        return DescriptorFusion(model=None, lexicon=lexicon, source=f"none: {error}")
    source = f"{len(described)} lesions that the network outlined in training images"
    return DescriptorFusion(model=fitted, weight=weight, lexicon=lexicon, source=source)
