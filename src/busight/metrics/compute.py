"""Every figure of a score sheet, as a function of how often each case counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics import calibration_error as probability
from busight.metrics import classification
from busight.metrics.confusion import confusion_matrix
from busight.metrics.ranking import auroc_of_counts, average_precision_of_counts, counts_at_thresholds
from busight.metrics.ratio import weighted_mean
from busight.metrics.segmentation import counted_masks, mask_figures
from busight.types import FloatArray, IntArray

OVERALL, MACRO, WEIGHTED = "overall", "macro", "weighted"
AMONG_LESIONS = "malignant among lesions"

Figures = dict[tuple[str, str], FloatArray]
"""From (metric, of) to float64 (...), one figure for each leading index of the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCases:
    """Arrays of one set of cases, checked before they come here.

    Attributes:
        target: int64 (N,), actual class 0..K-1.
        probs: float64 (N, K).
        classes: K names.
        masks: float64 (N, M), the scores of each case's mask in the order of `MASK_SCORES`; None without segmentation.
        flagged: bool (N,), called positive for the last class at its operating point; None without one.
        sets: bool (N, K), classes in each prediction set; None without such sets.
        refused: bool (N,), not answered; None without a gate.
        second_reader: float64 (N,), its probability of malignancy, NaN where it says nothing; None without.
    """

    target: IntArray
    probs: FloatArray
    classes: tuple[str, ...]
    masks: FloatArray | None = None
    flagged: NDArray[np.bool_] | None = None
    sets: NDArray[np.bool_] | None = None
    refused: NDArray[np.bool_] | None = None
    second_reader: FloatArray | None = None

    @property
    def support(self) -> IntArray:
        """Cases per class, int64 (K,)."""
        return np.bincount(self.target, minlength=len(self.classes)).astype(np.int64)

    @property
    def predicted(self) -> IntArray:
        """Class with the highest probability, int64 (N,); the first of them in a tie."""
        return np.asarray(self.probs.argmax(1), np.int64)


def figures(cases: ScoredCases, weights: FloatArray) -> Figures:
    """Compute every figure.

    Args:
        cases: N cases.
        weights: float64 (..., N): how often each case counts.

    Returns:
        (metric, of) → float64 (...), in the order of a score sheet. Balanced accuracy is over the classes that have
        cases, and undefined in a resample that lost one of them.
    """
    confusion = confusion_matrix(cases.target, cases.predicted, len(cases.classes), weights)
    by_class = _by_class(cases, confusion, weights)
    found: Figures = {
        ("accuracy", OVERALL): classification.accuracy(confusion),
        ("balanced_accuracy", OVERALL): classification.balanced_accuracy(confusion, cases.support > 0),
        ("kappa", OVERALL): classification.cohen_kappa(confusion),
        ("mcc", OVERALL): classification.mcc(confusion),
        ("brier", OVERALL): probability.brier(cases.target, cases.probs, weights),
        ("log_loss", OVERALL): probability.log_loss(cases.target, cases.probs, weights),
        ("ece", OVERALL): probability.ece(cases.target, cases.probs, weights),
    }
    for metric in ("precision", "sensitivity", "f1", "auroc", "average_precision"):
        found[metric, MACRO] = classification.macro(by_class[metric])
    for metric in ("precision", "sensitivity", "f1"):
        found[metric, WEIGHTED] = classification.support_weighted(by_class[metric], confusion)
    for index, name in enumerate(cases.classes):
        found |= {(metric, name): values[..., index] for metric, values in by_class.items()}
    found |= _among_lesions(cases, weights) | _of_second_reader(cases, weights)
    for values_of in (_operating_values(cases), _set_values(cases)):
        found |= {name: weighted_mean(values, weights) for name, values in values_of.items()}
    return found if cases.masks is None else found | mask_figures(cases.masks, weights)


def counted_images(cases: ScoredCases) -> dict[tuple[str, str], int]:
    """Count the images behind each figure that speaks of some of them only; all others speak of every image.

    Sensitivity is taken over the class's own images, specificity over the others, precision over those predicted so.
    """
    support, predicted = cases.support, np.bincount(cases.predicted, minlength=len(cases.classes))
    counted: dict[tuple[str, str], int] = {}
    for index, name in enumerate(cases.classes):
        counted["sensitivity", name] = int(support[index])
        counted["specificity", name] = int(support.sum() - support[index])
        counted["precision", name] = int(predicted[index])
    lesions = _lesions(cases)
    if lesions is not None:
        counted["auroc", AMONG_LESIONS] = int(lesions.sum())
        if cases.second_reader is not None:
            counted["second_reader_auroc", AMONG_LESIONS] = int((lesions & ~np.isnan(cases.second_reader)).sum())
    for (metric, of), values in (_operating_values(cases) | _set_values(cases)).items():
        counted[metric, of] = int((~np.isnan(values)).sum())
    return counted if cases.masks is None else counted | counted_masks(cases.masks)


def _by_class(cases: ScoredCases, confusion: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    ranked = [
        counts_at_thresholds(cases.probs[:, index], cases.target == index, weights)
        for index in range(len(cases.classes))
    ]
    # A class without cases has nothing to be found or missed: the precision of 0 that its false calls would give, and
    # the F1 that follows, would be averaged as if it had been tested.
    tested = np.where(confusion.sum(-1) > 0, 0.0, np.nan)
    return {
        "precision": classification.precision(confusion) + tested,
        "sensitivity": classification.sensitivity(confusion),
        "specificity": classification.specificity(confusion),
        "f1": classification.f1(confusion) + tested,
        "auroc": np.stack([auroc_of_counts(counts) for counts in ranked], axis=-1),
        "average_precision": np.stack([average_precision_of_counts(counts) for counts in ranked], axis=-1),
    }


def _among_lesions(cases: ScoredCases, weights: FloatArray) -> Figures:
    """Rank malignant against benign alone: the figure that data sets with and without normal images have in common."""
    lesions = _lesions(cases)
    if lesions is None:
        return {}
    benign, malignant = (cases.probs[:, cases.classes.index(name)] for name in ("benign", "malignant"))
    # Where both are 0 to the last digit, nothing speaks for either.
    share = np.divide(malignant, benign + malignant, out=np.full(len(benign), 0.5), where=benign + malignant > 0)
    return {("auroc", AMONG_LESIONS): _auroc_of_malignant(cases, lesions, share, weights)}


def _of_second_reader(cases: ScoredCases, weights: FloatArray) -> Figures:
    """Rank the lesions on which the second reader says something by what it says."""
    lesions, says = _lesions(cases), cases.second_reader
    if lesions is None or says is None:
        return {}
    return {
        ("second_reader_auroc", AMONG_LESIONS): _auroc_of_malignant(cases, lesions & ~np.isnan(says), says, weights)
    }


def _auroc_of_malignant(
    cases: ScoredCases, chosen: NDArray[np.bool_], score: FloatArray, weights: FloatArray
) -> FloatArray:
    """Rank malignant against the rest of the chosen cases by a score; NaN where none is chosen."""
    if not chosen.any():
        return np.full(weights.shape[:-1], np.nan)
    positive = cases.target[chosen] == cases.classes.index("malignant")
    return auroc_of_counts(counts_at_thresholds(score[chosen], positive, weights[..., chosen]))


def _lesions(cases: ScoredCases) -> NDArray[np.bool_] | None:
    """Return which cases are benign or malignant; None where the task does not tell these two and others apart."""
    if len(cases.classes) < 3 or not {"benign", "malignant"} <= set(cases.classes):
        return None
    return np.isin(cases.target, [cases.classes.index(name) for name in ("benign", "malignant")])


def _operating_values(cases: ScoredCases) -> dict[tuple[str, str], FloatArray]:
    """Right or not at the operating point, NaN on images that the figure does not speak of."""
    if cases.flagged is None:
        return {}
    positive, last = cases.target == len(cases.classes) - 1, cases.classes[-1]
    return {
        ("operating_sensitivity", last): np.where(positive, cases.flagged, np.nan),
        ("operating_specificity", last): np.where(positive, np.nan, ~cases.flagged),
    }


def _set_values(cases: ScoredCases) -> dict[tuple[str, str], FloatArray]:
    """Return size of the set and whether it holds the actual class, NaN on other classes' images; refused or not."""
    found: dict[tuple[str, str], FloatArray] = {}
    if cases.sets is not None:
        held = cases.sets[np.arange(len(cases.target)), cases.target]
        for index, name in enumerate(cases.classes):
            found["set_coverage", name] = np.where(cases.target == index, held, np.nan)
        found["set_size", OVERALL] = cases.sets.sum(axis=1).astype(np.float64)
        found["one_in_set", OVERALL] = (cases.sets.sum(axis=1) == 1).astype(np.float64)
    if cases.refused is not None:
        found["refused", OVERALL] = cases.refused.astype(np.float64)
    return found
