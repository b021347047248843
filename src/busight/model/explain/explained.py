"""Everything there is to say about one prediction, for a person to weigh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from busight.data.dataset import Reader
from busight.decision.ood import similarity
from busight.descriptors.lexicon import Description, describe
from busight.errors import DataError
from busight.metrics.prevalence import at_prevalence, check_prevalence, predictive_values
from busight.metrics.table import MetricRows
from busight.model.bundle.card import Card
from busight.model.model import Predictor
from busight.types import FloatArray, Image, Prediction, Sample

SIMILAR = 5


@dataclass(frozen=True, slots=True, eq=False)
class SimilarCase:
    """A training image that looks alike to the network.

    Attributes:
        sample_id: Its name in the training data.
        finding: What it shows.
        likeness: Cosine of the features, at most 1.
        image: uint8 HW where the training data are at hand; a bundle holds no pictures.
    """

    sample_id: str
    finding: str
    likeness: float
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class AtPrevalence:
    """A result where the last class has another prevalence than among the calibration images.

    Attributes:
        prevalence: As given, above 0 and below 1.
        measured: Among the calibration images.
        probs: float64 (K,), moved there.
        ppv: Of the operating point; NaN where there is none.
        npv: Of the operating point; NaN where there is none.
        point_source: What sensitivity and specificity of the operating point were measured on.
    """

    prevalence: float
    measured: float
    probs: FloatArray
    ppv: float
    npv: float
    point_source: str


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """One prediction with all that speaks for and against it.

    Attributes:
        prediction: The prediction.
        card: Of the bundle that made it.
        description: The lesion in BI-RADS words; None where undefined.
        undescribed: Why there is no description; empty where there is one.
        similar: The most alike training images, the most alike first.
        at_prevalence: Where a prevalence was given.
    """

    prediction: Prediction
    card: Card
    description: Description | None
    undescribed: str
    similar: tuple[SimilarCase, ...]
    at_prevalence: AtPrevalence | None


def explained(predictor: Predictor, found: Prediction, prevalence: float | None = None) -> Explained:
    """Gather everything about a prediction.

    Args:
        predictor: That made it.
        found: The prediction.
        prevalence: Of the last class where the image comes from, above 0 and below 1.

    Raises:
        DataError: The prevalence is out of range, or the bundle does not say what it was calibrated at.
    """
    at = None if prevalence is None else _at(predictor, found, prevalence)
    description, undescribed = _described(found)
    return Explained(found, predictor.card, description, undescribed, _similar(predictor, found), at)


def with_pictures(told: Explained, training: Mapping[str, Sample], reader: Reader) -> Explained:
    """Show the similar training images themselves, where they can be had.

    Args:
        told: What is known.
        training: The training images that are at hand, by name; may be empty.
        reader: Reads them.

    Raises:
        DataError: One of them cannot be read.
    """
    shown = [
        replace(one, image=reader.image(training[one.sample_id])) if one.sample_id in training else one
        for one in told.similar
    ]
    return replace(told, similar=tuple(shown))


def measured_prevalence(card: Card, wanted: float) -> float:
    """Return the share of the last class among a bundle's calibration images, from which to move to another one.

    Args:
        card: The bundle's.
        wanted: The prevalence to move to, above 0 and below 1.

    Raises:
        DataError: The wanted one is out of range, or the bundle has no calibrated probabilities or no such share.
    """
    check_prevalence(wanted)
    if not card.calibration.calibrated:
        raise DataError(
            f"{card.name}: its probabilities are not calibrated ({card.calibration.source}), so none follows for "
            "another prevalence; leave --prevalence away, or train it anew"
        )
    if card.calibration.prevalence is None:
        raise DataError(
            f"{card.name}: the bundle does not say how common its last class was among its calibration images; leave "
            "--prevalence away, or train it anew"
        )
    return card.calibration.prevalence


def _described(found: Prediction) -> tuple[Description | None, str]:
    if found.mask is None:
        return None, "this bundle outlines no lesions: descriptors are undefined"
    try:
        return describe(found.image, found.mask, found.pixel_spacing_mm), ""
    except DataError as error:
        return None, str(error)


def _similar(predictor: Predictor, found: Prediction) -> tuple[SimilarCase, ...]:
    memory = predictor.memory
    if memory is None or found.features is None:
        return ()
    likeness = similarity(found.features[None], memory.features)[0]
    nearest = np.argsort(-likeness, kind="stable")[:SIMILAR]
    return tuple(SimilarCase(memory.sample_ids[i], memory.findings[i], float(likeness[i])) for i in nearest.tolist())


def _at(predictor: Predictor, found: Prediction, prevalence: float) -> AtPrevalence:
    measured = measured_prevalence(predictor.card, prevalence)
    ppv = npv = float("nan")
    sensitivity, specificity, source = _operating(predictor.card)
    if sensitivity is not None and specificity is not None:
        ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    probs = at_prevalence(found.calibrated_probs, len(found.classes) - 1, measured, prevalence)
    return AtPrevalence(prevalence, measured, probs, ppv, npv, source)


def _operating(card: Card) -> tuple[float | None, float | None, str]:
    """Return sensitivity and specificity of the operating point: on test images where there were any.

    On the validation images that it was chosen on, its sensitivity is too good by the choice.
    """
    point = next(iter(card.operating_points), None)
    if point is None:
        return None, None, "nothing"
    metrics = MetricRows(card.scores)
    sensitivity, specificity = (metrics.find(f"operating_{name}", point.of) for name in ("sensitivity", "specificity"))
    values = [score.value for score in (sensitivity, specificity) if score is not None and score.value is not None]
    if len(values) == 2:
        return values[0], values[1], "test images"
    return point.sensitivity, point.specificity, "the validation images that it was chosen on"
