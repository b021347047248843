"""Recalibration of a bundle on labelled images of the place where it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busight.audit.checked_dataset import check_dataset
from busight.data.sources.catalogue import load_data
from busight.decision.fit import CalibrationCases
from busight.decision.recalibrate import recalibrate_decision
from busight.errors import DataError
from busight.experiments.scoring import of_predictions
from busight.io.atomic import require_free_folder
from busight.io.progress import Progress, Silent
from busight.model.bundle.finish import finished
from busight.model.model import Model
from busight.types import FloatArray, Prediction, Rejected, Sample

KEPT_METRICS = frozenset(
    {"accuracy", "auroc", "average_precision", "balanced_accuracy", "dice", "f1", "iou", "kappa", "mcc"}
)
"""Metrics that no temperature changes; the others on a card hold for its old probabilities alone."""


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
    checked = check_dataset(load_data(spec).read_as(model.preprocess.image), progress)
    samples = [sample for sample in checked.samples if model.labels.class_of(sample.label) is not None]
    if model.card.classify is None:
        raise DataError(f"{model.folder}: has no classifier to recalibrate; name one that has")
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
    metrics = tuple(row for row in model.card.metrics if row.metric in KEPT_METRICS)
    used = {sample.sample_id for sample, _ in answered}
    # An evaluation on these images, and a second recalibration, must notice that the model knows them.
    seen = {entry.short_digest for entry in checked.rows if entry.sample.sample_id in used}
    training = model.card.training.model_copy(update={"digests": tuple(sorted(known | seen))})
    fields = {"decision": decision, "metrics": metrics, "training": training, "digest": ""}
    changed = model.save(out)
    changed = finished(changed.with_card(changed.card.changed(name=f"{model.card.name}, recalibrated", **fields)))
    counts = np.bincount(cases.target, minlength=len(model.labels.names)).tolist()
    by_class = tuple(zip(model.labels.names, counts, strict=True))
    return Recalibration(changed, by_class, len(set(cases.groups)), len(samples) - len(answered))


def _logits(sample: Sample, answer: Prediction | Rejected) -> FloatArray | None:
    return None if isinstance(answer, Rejected) else answer.logits
