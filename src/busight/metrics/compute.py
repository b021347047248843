"""Every metric of a metric table, as a function of how often each case counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.metrics import calibration_error as probability
from busight.metrics import classification
from busight.metrics.confusion import confusion_matrix
from busight.metrics.intervals import Measurand
from busight.metrics.ranking import auroc_of_counts, average_precision_of_counts, counts_at_thresholds
from busight.metrics.ratio import weighted_mean
from busight.metrics.segmentation import mask_measurands, mask_metrics
from busight.types import FloatArray, IntArray

OVERALL, MACRO, WEIGHTED = "overall", "macro", "weighted"
MetricValues = dict[tuple[str, str], FloatArray]
"""From (metric, of) to float64 (...), one value for each leading index of the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCases:
    """One set of cases as arrays, already validated.

    Attributes:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K).
        classes: K names.
        mask_scores: Name of a score → float64 (N,), the fields of `MaskScores`; None without segmentation.
        positive: Index of the positive class; None without one.
        lesion_pair: Indices of the negative and the positive lesion class, where there are other classes beside them;
            None otherwise.
        above_threshold: bool (N,), the positive class's probability reaches the threshold; None without one.
        prediction_sets: bool (N, K), classes in each prediction set; None without prediction sets.
        rejected: bool (N,), rejected as out of distribution; None without a detector.
        descriptor_probs: float64 (N,), probability of the positive class by the descriptor model, NaN where it has
            none; None without such a model.
    """

    target: IntArray
    probs: FloatArray
    classes: tuple[str, ...]
    positive: int | None = None
    lesion_pair: tuple[int, int] | None = None
    mask_scores: Mapping[str, FloatArray] | None = None
    above_threshold: NDArray[np.bool_] | None = None
    prediction_sets: NDArray[np.bool_] | None = None
    rejected: NDArray[np.bool_] | None = None
    descriptor_probs: FloatArray | None = None

    def select(self, chosen: NDArray[np.bool_] | IntArray) -> ScoredCases:
        """Return some of the cases, by their indices or a mask over all."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays: dict[str, Any] = {
            name: values[chosen] for name, values in columns.items() if isinstance(values, np.ndarray)
        }
        scores = self.mask_scores
        return replace(
            self,
            **arrays,
            mask_scores=None if scores is None else {name: values[chosen] for name, values in scores.items()},
        )

    @property
    def lesion_comparison(self) -> str | None:
        """Name of the subset of lesion images, e.g. ``"malignant vs benign"``; None without a lesion pair.

        On this subset data sets with and without normal images are comparable.
        """
        if self.lesion_pair is None:
            return None
        negative, positive = (self.classes[place] for place in self.lesion_pair)
        return f"{positive} vs {negative}"

    @property
    def positive_name(self) -> str | None:
        """Name of the positive class; None without one."""
        return None if self.positive is None else self.classes[self.positive]

    @property
    def is_lesion(self) -> NDArray[np.bool_] | None:
        """Whether each case is of one of the two lesion classes, bool (N,); None without such a pair."""
        return None if self.lesion_pair is None else np.isin(self.target, self.lesion_pair)

    @property
    def support(self) -> IntArray:
        """Cases per class, int64 (K,)."""
        return np.bincount(self.target, minlength=len(self.classes)).astype(np.int64)

    @property
    def prediction(self) -> IntArray:
        """Class with the highest probability, int64 (N,); the first of them in a tie."""
        return np.asarray(self.probs.argmax(1), np.int64)


def compute_metrics(cases: ScoredCases, weights: FloatArray) -> MetricValues:
    """Compute every metric.

    Args:
        cases: N cases.
        weights: float64 (..., N): how often each case counts.

    Returns:
        (metric, of) → float64 (...), in the order of a metric table. Balanced accuracy is over the classes that have
        cases, and undefined in a resample without one of them.
    """
    confusion = confusion_matrix(cases.target, cases.prediction, len(cases.classes), weights)
    by_class = _by_class(cases, confusion, weights)
    metrics: MetricValues = {
        ("accuracy", OVERALL): classification.accuracy(confusion),
        ("balanced_accuracy", OVERALL): classification.balanced_accuracy(confusion, cases.support > 0),
        ("kappa", OVERALL): classification.cohen_kappa(confusion),
        ("mcc", OVERALL): classification.mcc(confusion),
        ("brier", OVERALL): probability.brier(cases.target, cases.probs, weights),
        ("log_loss", OVERALL): probability.log_loss(cases.target, cases.probs, weights),
        ("ece", OVERALL): probability.ece(cases.target, cases.probs, weights),
    }
    for metric in ("precision", "sensitivity", "f1", "auroc", "average_precision"):
        metrics[metric, MACRO] = classification.macro(by_class[metric])
    for metric in ("precision", "sensitivity", "f1"):
        metrics[metric, WEIGHTED] = classification.support_weighted(by_class[metric], confusion)
    for index, name in enumerate(cases.classes):
        metrics |= {(metric, name): values[..., index] for metric, values in by_class.items()}
    metrics |= _lesions_apart(cases, weights) | _descriptor_model(cases, weights)
    for values_of in (_operating_point_values(cases), _decision_values(cases)):
        metrics |= {name: weighted_mean(values, weights) for name, values in values_of.items()}
    return metrics if cases.mask_scores is None else metrics | mask_metrics(cases.mask_scores, weights)


def metric_measurands(cases: ScoredCases) -> dict[tuple[str, str], Measurand]:
    """Return what each metric measures, and on which cases: the keys of `compute_metrics`.

    Sensitivity is over the class's own images, specificity over the others, precision over those predicted so.
    """
    every = np.ones(len(cases.target), bool)
    of_class = [cases.target == index for index in range(len(cases.classes))]
    predicted = [cases.prediction == index for index in range(len(cases.classes))]
    present = tuple(side for side in of_class if side.any())
    measurands = {
        ("accuracy", OVERALL): _proportion(every),
        ("balanced_accuracy", OVERALL): Measurand("mean", 0.0, 1.0, present),
        ("kappa", OVERALL): Measurand("statistic", -1.0, 1.0, (every,)),
        ("mcc", OVERALL): Measurand("statistic", -1.0, 1.0, (every,)),
        ("brier", OVERALL): Measurand("mean", 0.0, 2.0, (every,)),
        ("log_loss", OVERALL): Measurand("mean", 0.0, math.inf, (every,)),
        ("ece", OVERALL): Measurand("calibration error", 0.0, 1.0, (every,)),
    }
    for metric in ("f1", "auroc", "average_precision"):
        measurands[metric, MACRO] = _fraction(*of_class)
    measurands["sensitivity", MACRO] = Measurand("mean", 0.0, 1.0, tuple(of_class))
    measurands["precision", MACRO] = Measurand("mean", 0.0, 1.0, tuple(predicted))
    for metric in ("precision", "sensitivity", "f1"):
        measurands[metric, WEIGHTED] = _fraction(every)
    for name, own, named in zip(cases.classes, of_class, predicted, strict=True):
        measurands["sensitivity", name] = _proportion(own)
        measurands["specificity", name] = _proportion(~own)
        measurands["precision", name] = _proportion(named)
        measurands["f1", name] = _fraction(own, own | named)
        measurands["auroc", name] = measurands["average_precision", name] = _fraction(own, ~own)
    measurands |= _lesion_measurands(cases)
    for name_of, values in (_operating_point_values(cases) | _decision_values(cases)).items():
        measurands[name_of] = _proportion(~np.isnan(values))
    if cases.prediction_sets is not None:
        measurands["mean_set_size", OVERALL] = Measurand("mean", 0.0, float(len(cases.classes)), (every,))
    return measurands if cases.mask_scores is None else measurands | mask_measurands(cases.mask_scores)


def _proportion(cases: NDArray[np.bool_]) -> Measurand:
    return Measurand("proportion", 0.0, 1.0, (cases,))


def _fraction(*sides: NDArray[np.bool_]) -> Measurand:
    return Measurand("statistic", 0.0, 1.0, sides)


def _lesion_measurands(cases: ScoredCases) -> dict[tuple[str, str], Measurand]:
    lesions = cases.is_lesion
    if cases.lesion_comparison is None or lesions is None:
        return {}
    positive = cases.target == cases.positive
    measurands = {("auroc", cases.lesion_comparison): _fraction(lesions & positive, lesions & ~positive)}
    if cases.descriptor_probs is not None:
        described = lesions & ~np.isnan(cases.descriptor_probs)
        sides = _fraction(described & positive, described & ~positive)
        measurands["descriptor_auroc", cases.lesion_comparison] = sides
    return measurands


def _by_class(cases: ScoredCases, confusion: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    counts_by_class = [
        counts_at_thresholds(cases.probs[:, index], cases.target == index, weights)
        for index in range(len(cases.classes))
    ]
    # A class without cases has no true positives or false negatives: the precision of 0 that its false positives would
    # give, and the F1 that follows, would be averaged as if the class had been tested.
    tested = np.where(confusion.sum(-1) > 0, 0.0, np.nan)
    return {
        "precision": classification.precision(confusion) + tested,
        "sensitivity": classification.sensitivity(confusion),
        "specificity": classification.specificity(confusion),
        "f1": classification.f1(confusion) + tested,
        "auroc": np.stack([auroc_of_counts(counts) for counts in counts_by_class], axis=-1),
        "average_precision": np.stack([average_precision_of_counts(counts) for counts in counts_by_class], axis=-1),
    }


def _lesions_apart(cases: ScoredCases, weights: FloatArray) -> MetricValues:
    """Compute the AUROC of the positive against the negative lesion class, by the positive's share of both."""
    lesions = cases.is_lesion
    if cases.lesion_comparison is None or cases.lesion_pair is None or lesions is None:
        return {}
    negative, positive = (cases.probs[:, place] for place in cases.lesion_pair)
    # Where both are exactly 0, neither is more probable.
    share = np.divide(positive, negative + positive, out=np.full(len(positive), 0.5), where=negative + positive > 0)
    return {("auroc", cases.lesion_comparison): _auroc_of_positive(cases, lesions, share, weights)}


def _descriptor_model(cases: ScoredCases, weights: FloatArray) -> MetricValues:
    """Compute the AUROC of the descriptor model on the lesions for which it has a probability."""
    probs, lesions = cases.descriptor_probs, cases.is_lesion
    if cases.lesion_comparison is None or lesions is None or probs is None:
        return {}
    described = lesions & ~np.isnan(probs)
    return {("descriptor_auroc", cases.lesion_comparison): _auroc_of_positive(cases, described, probs, weights)}


def _auroc_of_positive(
    cases: ScoredCases, selected: NDArray[np.bool_], score: FloatArray, weights: FloatArray
) -> FloatArray:
    """Compute the AUROC of the positive class among the selected cases; NaN where none is selected."""
    if not selected.any():
        return np.full(weights.shape[:-1], np.nan)
    positive = cases.target[selected] == cases.positive
    return auroc_of_counts(counts_at_thresholds(score[selected], positive, weights[..., selected]))


def _operating_point_values(cases: ScoredCases) -> dict[tuple[str, str], FloatArray]:
    """Return whether each image is right at the threshold, NaN on images that do not define the metric."""
    if cases.above_threshold is None or cases.positive is None:
        return {}
    positive, name = cases.target == cases.positive, cases.classes[cases.positive]
    return {
        ("operating_sensitivity", name): np.where(positive, cases.above_threshold, np.nan),
        ("operating_specificity", name): np.where(positive, np.nan, ~cases.above_threshold),
    }


def _decision_values(cases: ScoredCases) -> dict[tuple[str, str], FloatArray]:
    """Return per image set size, coverage of the target by the set (NaN on other classes' images), and rejection."""
    values: dict[tuple[str, str], FloatArray] = {}
    if cases.prediction_sets is not None:
        covered = cases.prediction_sets[np.arange(len(cases.target)), cases.target]
        for index, name in enumerate(cases.classes):
            values["class_coverage", name] = np.where(cases.target == index, covered, np.nan)
        values["mean_set_size", OVERALL] = cases.prediction_sets.sum(axis=1).astype(np.float64)
        values["singleton_rate", OVERALL] = (cases.prediction_sets.sum(axis=1) == 1).astype(np.float64)
    if cases.rejected is not None:
        values["rejection_rate", OVERALL] = cases.rejected.astype(np.float64)
    return values
