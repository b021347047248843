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
from busight.types import FloatArray, Prediction, Rejected, Sample, prediction_of

KEPT_METRICS = frozenset(
    {"accuracy", "auroc", "average_precision", "balanced_accuracy", "dice", "f1", "iou", "kappa", "mcc"}
)
"""Metrics that no temperature changes; the others on a card hold for its old probabilities alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """A recalibrated model.

    Attributes:
        model: The model; its bundle is saved.
        n_images: Labelled images that it was recalibrated on.
        counts: (class, number of these images).
        n_rejected: How many of these images it rejects by their appearance.
    """

    model: Model
    n_images: int
    counts: tuple[tuple[str, int], ...]
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
        DataError: Too few images, or of one class, or images of the training.
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
            f"{spec}: {again} of its {len(checked.rows)} images are among those that {model.card.name} was trained on, "
            "on which it is too sure of itself; recalibrate on others"
        )
    progress.stage("prediction")
    found = of_predictions(_logits_and_rejection, samples, checked.reader, model, progress)
    group_of = checked.group_of()
    cases = CalibrationCases(
        logits=np.array([logits for logits, _ in found], np.float64).reshape(len(found), len(model.labels.names)),
        target=np.array([model.labels.index(sample.label) for sample in samples], np.int64),
        groups=[group_of[sample.sample_id] for sample in samples],
        source=f"{len(samples)} images of {spec}",
    )
    decision = recalibrate_decision(model.decision, cases, model.labels)
    metrics = tuple(row for row in model.card.metrics if row.metric in KEPT_METRICS)
    changed = model.save(out)
    changed = finished(changed.with_card(changed.card.changed(decision=decision, metrics=metrics, digest="")))
    counts = np.bincount(cases.target, minlength=len(model.labels.names)).tolist()
    return Recalibration(
        changed, len(samples), tuple(zip(model.labels.names, counts, strict=True)), sum(one for _, one in found)
    )


def _logits_and_rejection(sample: Sample, answer: Prediction | Rejected) -> tuple[FloatArray, bool]:
    return prediction_of(answer).logits, isinstance(answer, Rejected)
