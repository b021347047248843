"""The explanation of one prediction: descriptors, similar cases, predictive values."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np

from busight.data.dataset import ImageReader
from busight.data.manifest import manifest_row
from busight.decision.ood import similarity
from busight.descriptors.lexicon import Description, describe
from busight.errors import DataError
from busight.metrics.prevalence import at_prevalence, check_prevalence, predictive_values
from busight.metrics.table import MetricRows
from busight.model.bundle.card import Card
from busight.model.model import Model
from busight.types import FloatArray, Image, Prediction, Rejected, Sample, prediction_of

SIMILAR = 5


@dataclass(frozen=True, slots=True, eq=False)
class SimilarCase:
    """A training image with similar features.

    Attributes:
        sample_id: Its id in the training data.
        label: Its label.
        likeness: Cosine similarity of the features, at most 1.
        image: uint8 HW where the training data are available; a bundle contains no images.
    """

    sample_id: str
    label: str
    likeness: float
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class AtPrevalence:
    """A prediction at another prevalence of the positive class than among the calibration images.

    Attributes:
        prevalence: The given prevalence, above 0 and below 1.
        measured: The prevalence among the calibration images.
        probs: float64 (K,), adjusted to the given prevalence.
        ppv: PPV at the threshold; NaN without one.
        npv: NPV at the threshold; NaN without one.
        point_source: The cases of sensitivity and specificity at the threshold.
    """

    prevalence: float
    measured: float
    probs: FloatArray
    ppv: float
    npv: float
    point_source: str


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """One prediction with its explanation.

    Attributes:
        answer: The model's prediction or rejection.
        card: The card of the model.
        description: The lesion in BI-RADS words; None where undefined.
        undescribed: Why there is no description; empty where there is one.
        similar: The most similar training images, the most similar first.
        at_prevalence: The prediction at a given prevalence; None without one.
    """

    answer: Prediction | Rejected
    card: Card
    description: Description | None
    undescribed: str
    similar: tuple[SimilarCase, ...]
    at_prevalence: AtPrevalence | None

    @property
    def prediction(self) -> Prediction:
        """The prediction, withheld or not."""
        return prediction_of(self.answer)

    @property
    def rejected(self) -> str | None:
        """Why the image is rejected; None where it is not."""
        return self.answer.reason if isinstance(self.answer, Rejected) else None


def explained(model: Model, answer: Prediction | Rejected, prevalence: float | None = None) -> Explained:
    """Return the explanation of a prediction.

    Args:
        model: The model that predicted it.
        answer: The model's prediction or rejection, of ``Model.predict`` with ``explain``.
        prevalence: Prevalence of the positive class at the image's origin, above 0 and below 1.

    Raises:
        DataError: The prevalence is out of range, or the bundle has no calibration prevalence.
    """
    prediction = prediction_of(answer)
    at = None if prevalence is None else _at(model, prediction, prevalence)
    description, undescribed = _described(prediction)
    return Explained(answer, model.card, description, undescribed, _similar(model, prediction), at)


def with_images(told: Explained, training: Mapping[str, Sample], reader: ImageReader, digests: Set[str]) -> Explained:
    """Add the pixels of the similar training images, where they are available.

    Args:
        told: The explanation.
        training: The available training images by sample id; may be empty.
        reader: The reader of these images.
        digests: Short digests of the images that the model was trained on: another image of the same name is not shown.

    Raises:
        DataError: An image cannot be read.
    """
    shown = []
    for case in told.similar:
        sample = training.get(case.sample_id)
        if sample is not None:
            image = reader.image(sample)
            if manifest_row(sample, image).is_among(digests):
                case = replace(case, image=image)
        shown.append(case)
    return replace(told, similar=tuple(shown))


def measured_prevalence(card: Card, wanted: float) -> float:
    """Return the prevalence of the positive class among a bundle's calibration images.

    Args:
        card: The bundle's card.
        wanted: The prevalence to adjust to, above 0 and below 1.

    Raises:
        DataError: The wanted prevalence is out of range, or the bundle has no calibrated probabilities or no
            calibration prevalence.
    """
    check_prevalence(wanted)
    calibration = card.decision.calibration
    if not calibration.calibrated:
        raise DataError(
            f"{card.name}: its probabilities are not calibrated ({calibration.source}), so none follows for another "
            "prevalence; leave --prevalence away, or train it anew"
        )
    if calibration.prevalence is None:
        raise DataError(
            f"{card.name}: the bundle does not say how common its positive class was among its calibration images; "
            "leave --prevalence away, or train it anew"
        )
    return calibration.prevalence


def _described(found: Prediction) -> tuple[Description | None, str]:
    if found.mask is None:
        return None, "this model outlines no lesions: descriptors are undefined"
    if found.image.ndim == 3:
        return None, "BI-RADS descriptors are those of grey ultrasound images"
    try:
        return describe(found.image, found.mask, found.ref.pixel_spacing_mm), ""
    except DataError as error:
        return None, str(error)


def _similar(model: Model, prediction: Prediction) -> tuple[SimilarCase, ...]:
    bank = model.bank
    if bank is None or prediction.features is None:
        return ()
    likeness = similarity(prediction.features[None], bank.features)[0]
    nearest = np.argsort(-likeness, kind="stable")[:SIMILAR]
    return tuple(SimilarCase(bank.sample_ids[i], bank.labels[i], float(likeness[i])) for i in nearest.tolist())


def _at(model: Model, prediction: Prediction, prevalence: float) -> AtPrevalence:
    place = model.labels.positive_index
    if place is None:
        raise DataError(f"{model.card.name}: its classes have no positive one; leave --prevalence away")
    measured = measured_prevalence(model.card, prevalence)
    ppv = npv = float("nan")
    sensitivity, specificity, source = _operating(model.card)
    if sensitivity is not None and specificity is not None:
        ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    probs = at_prevalence(prediction.calibrated_probs, place, measured, prevalence)
    return AtPrevalence(prevalence, measured, probs, ppv, npv, source)


def _operating(card: Card) -> tuple[float | None, float | None, str]:
    """Return sensitivity and specificity at the threshold, on test images where there were any.

    On the cases that the threshold was chosen on, its sensitivity is optimistic.
    """
    metrics, positive = MetricRows(card.metrics), str(card.labels.positive)
    sensitivity, specificity = (metrics.find(f"operating_{name}", positive) for name in ("sensitivity", "specificity"))
    values = [metric.value for metric in (sensitivity, specificity) if metric is not None and metric.value is not None]
    if len(values) == 2:
        return values[0], values[1], "test images"
    threshold = card.decision.threshold
    if threshold is None:
        return None, None, "nothing"
    return threshold.sensitivity, threshold.specificity, "the cases that it was chosen on"
