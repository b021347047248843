"""Everything there is to say about one prediction, for a person to weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.assess.out_of_distribution import similarity
from busight.assess.prevalence import at_prevalence, check_prevalence, predictive_values
from busight.errors import DataError
from busight.explain.descriptors import Description, describe
from busight.predict.predictor import Predictor
from busight.predict.second_opinion import SecondOpinion, reader_words, second_opinion
from busight.types import FloatArray, Prediction

SIMILAR = 5


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A training image that looks alike to the network.

    Attributes:
        sample_id: Its name in the training data.
        finding: What it shows.
        likeness: Cosine of the features, at most 1.
    """

    sample_id: str
    finding: str
    likeness: float


@dataclass(frozen=True, slots=True)
class AtPrevalence:
    """A result where the last class has another prevalence than among the calibration images.

    Attributes:
        prevalence: As given, above 0 and below 1.
        measured: Among the calibration images.
        probs: float64 (K,), moved there.
        ppv: Of the operating point; NaN where there is none.
        npv: Of the operating point; NaN where there is none.
    """

    prevalence: float
    measured: float
    probs: FloatArray
    ppv: float
    npv: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One prediction with all that speaks for and against it.

    Attributes:
        prediction: The prediction.
        description: The lesion in BI-RADS words; None where undefined.
        undescribed: Why there is no description; empty where there is one.
        second: The second reader's word, on the outlined lesion or, where that is unsure, on the likeliest region; None
            where there is no such region or no reader.
        similar: The most alike training images, the most alike first.
        at_prevalence: Where a prevalence was given.
        cautions: The prediction's, and that the readers disagree.
    """

    prediction: Prediction
    description: Description | None
    undescribed: str
    second: SecondOpinion | None
    similar: tuple[SimilarCase, ...]
    at_prevalence: AtPrevalence | None
    cautions: tuple[str, ...]


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
    second = _second(predictor, found)
    words = (*found.cautions, *_disagreement(found, second))
    return Explained(found, description, undescribed, second, _similar(predictor, found), at, words)


def _described(found: Prediction) -> tuple[Description | None, str]:
    if found.mask is None:
        return None, "this bundle outlines no lesions: descriptors are undefined"
    try:
        return describe(found.image, found.mask, found.pixel_spacing_mm), ""
    except DataError as error:
        return None, str(error)


def _second(predictor: Predictor, found: Prediction) -> SecondOpinion | None:
    part = predictor.card.reader
    if part is None or part.reader is None:
        return None
    words = reader_words(found.image, found.mask, found.mask_probs)
    return None if words is None else second_opinion(part.reader, words)


def _similar(predictor: Predictor, found: Prediction) -> tuple[SimilarCase, ...]:
    memory = predictor.memory
    if memory is None or found.features is None:
        return ()
    likeness = similarity(found.features[None].astype(np.float64), memory.features.astype(np.float64))[0]
    nearest = np.argsort(-likeness, kind="stable")[:SIMILAR]
    return tuple(SimilarCase(memory.sample_ids[i], memory.findings[i], float(likeness[i])) for i in nearest.tolist())


def _at(predictor: Predictor, found: Prediction, prevalence: float) -> AtPrevalence:
    check_prevalence(prevalence)
    measured = predictor.card.calibration.prevalence
    if measured is None:
        raise DataError(
            f"{predictor.card.name}: the bundle does not say how common {found.classes[-1]} was among its calibration "
            "images; leave --prevalence away, or train it anew"
        )
    point = next(iter(predictor.card.operating_points), None)
    ppv = npv = float("nan")
    if point is not None and point.sensitivity is not None and point.specificity is not None:
        ppv, npv = predictive_values(point.sensitivity, point.specificity, prevalence)
    probs = at_prevalence(found.calibrated_probs, len(found.classes) - 1, measured, prevalence)
    return AtPrevalence(prevalence, measured, probs, ppv, npv)


def _disagreement(found: Prediction, second: SecondOpinion | None) -> tuple[str, ...]:
    """Say where the second reader, asked about malignancy alone, calls the lesion otherwise than the network."""
    if second is None or not {"benign", "malignant"} <= set(found.classes):
        return ()
    benign, malignant = (float(found.calibrated_probs[found.classes.index(name)]) for name in ("benign", "malignant"))
    if benign + malignant <= 0 or (second.malignant >= 0.5) == (malignant >= benign):
        return ()
    other = "malignant" if second.malignant >= 0.5 else "benign"
    return (
        f"the second reader, by BI-RADS words, calls it {other} ({max(second.malignant, 1 - second.malignant):.2f})",
    )
