"""Recalibration of a bundle on labelled images of the place where it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from busight.audit.checked_dataset import check_dataset
from busight.data.sources.catalogue import load_data
from busight.decision.calibration.beta import Beta
from busight.decision.calibration.isotonic import Isotonic
from busight.decision.fit import CalibrationCases
from busight.decision.recalibrate import recalibrate_decision
from busight.errors import DataError
from busight.experiments.scoring import of_predictions
from busight.io.atomic import filled_at_once, require_free_folder
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import CARD, Card
from busight.model.bundle.finish import finished
from busight.model.model import Model
from busight.types import FloatArray, Prediction, Rejected, Sample

RECALIBRATED = ", recalibrated"
"""End of a recalibrated model's name."""

KEPT_METRICS = frozenset(
    {"accuracy", "auroc", "average_precision", "balanced_accuracy", "dice", "f1", "iou", "kappa", "mcc"}
)
"""Metrics of a card that a temperature leaves as they are, AUROC and average precision of three classes but for the
fourth digit; the others hold for the old probabilities alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """A recalibrated model.

    Attributes:
        model: The model; its bundle is saved.
        counts: (class, number of labelled images that it was recalibrated on).
        n_groups: Patients or groups of near-duplicates of these images.
        n_rejected: Labelled images that it rejects by their appearance, and that were left out.
    """

    model: Model
    counts: tuple[tuple[str, int], ...]
    n_groups: int
    n_rejected: int


def recalibrate(model: Model, spec: str, out: Path, progress: Progress | None = None) -> Recalibration:
    """Fit temperature, threshold and prediction sets of a model on other data; its networks stay as they are.

    Args:
        model: A finished model with a classifier.
        spec: Labelled images of the place where it is used, none of which it was trained on; 50 cases are a good
            number, 20 the least.
        out: A new folder, for the bundle.
        progress: Receives stages, ticks and lines.

    Raises:
        DataError: Too few cases, or of one class, or images that the model knows.
    """
    progress = progress or Silent()
    require_free_folder(out)
    if model.card.classify is None:
        raise DataError(f"{model.folder}: has no classifier to recalibrate; name one that has")
    checked = check_dataset(load_data(spec).read_as(model.preprocess.image), progress)
    samples = [sample for sample in checked.samples if model.labels.class_of(sample.label) is not None]
    if not samples:
        labels = sorted({str(sample.label) for sample in checked.samples if sample.label is not None})
        raise DataError(
            f"{spec}: none of its images has a class of the model, {', '.join(model.labels.names)}; its labels are "
            f"{', '.join(labels) or 'missing'}"
        )
    if len(samples) < len(checked.samples):
        progress.line(f"{len(checked.samples) - len(samples)} images without a class of the model are left out")
    known = frozenset(model.card.training.digests)
    again = sum(entry.is_among(known) for entry in checked.rows)
    if again:
        raise DataError(
            f"{spec}: {again} of its {len(checked.rows)} images are among those that {model.card.name} was trained, "
            "tuned or recalibrated on; recalibrate on others"
        )
    progress.stage("prediction")
    found = of_predictions(_logits, samples, checked.reader, model, progress)
    # What the model does not answer says nothing of its answers.
    answered = [(sample, logits) for sample, logits in zip(samples, found, strict=True) if logits is not None]
    group_of = checked.group_of()
    cases = CalibrationCases(
        logits=np.array([logits for _, logits in answered], np.float64).reshape(-1, len(model.labels.names)),
        target=np.array([model.labels.index(sample.label) for sample, _ in answered], np.int64),
        groups=[group_of[sample.sample_id] for sample, _ in answered],
        source=f"{len(answered)} labelled images of {spec}",
    )
    decision = recalibrate_decision(model.decision, cases, model.labels)
    used = {sample.sample_id for sample, _ in answered}
    # An evaluation on these images, and a second recalibration, must notice that the model knows them.
    seen = {entry.short_digest for entry in checked.rows if entry.sample.sample_id in used}
    training = model.card.training.model_copy(update={"digests": tuple(sorted(known | seen))})
    fields = {**_kept_figures(model.card), "decision": decision, "training": training, "digest": ""}
    name = model.card.name.removesuffix(RECALIBRATED) + RECALIBRATED
    with filled_at_once(out, CARD) as inside:
        changed = model.save(inside)
        changed = finished(changed.with_card(changed.card.changed(name=name, **fields)))
    changed = replace(changed, folder=out)
    counts = np.bincount(cases.target, minlength=len(model.labels.names)).tolist()
    by_class = tuple(zip(model.labels.names, counts, strict=True))
    return Recalibration(changed, by_class, len(set(cases.groups)), len(samples) - len(answered))


def _logits(sample: Sample, answer: Prediction | Rejected) -> FloatArray | None:
    return None if isinstance(answer, Rejected) else answer.logits


def _kept_figures(card: Card) -> dict[str, Any]:
    """Return metrics and evidence of a card without those that hold for its old probabilities alone."""
    gave_way = isinstance(card.decision.calibration.calibrator, Beta | Isotonic)  # curves, to a temperature
    kept: frozenset[str] = frozenset() if gave_way else KEPT_METRICS
    evidence = card.evidence
    rows = () if evidence is None else tuple(row for row in evidence.rows if row.metric in kept)
    return {
        "metrics": tuple(row for row in card.metrics if row.metric in kept),
        "evidence": evidence.model_copy(update={"rows": rows}) if evidence is not None and rows else None,
    }
