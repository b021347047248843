"""Predictive values and probabilities at another prevalence than that of the evaluated cases."""

from __future__ import annotations

import numpy as np

from busight.errors import DataError
from busight.types import FloatArray


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Return the positive and the negative predictive value at a prevalence.

    Args:
        sensitivity: 0–1.
        specificity: 0–1.
        prevalence: Share of people with the disease among those examined, above 0 and below 1.

    Returns:
        PPV and NPV, 0–1; NaN where no case would be predicted so.

    Raises:
        DataError: The prevalence is not above 0 and below 1.

    Example:
        >>> ppv, npv = predictive_values(0.9, 0.8, 0.01)
        >>> round(ppv, 3), round(npv, 4)
        (0.043, 0.9987)
    """
    check_prevalence(prevalence)
    true_positive, false_positive = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    true_negative, false_negative = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    called, cleared = true_positive + false_positive, true_negative + false_negative
    nan = float("nan")
    return (true_positive / called if called else nan), (true_negative / cleared if cleared else nan)


def at_prevalence(probs: FloatArray, positive: int, measured: float, wanted: float) -> FloatArray:
    """Adjust calibrated probabilities from the prevalence of the calibration cases to another one.

    Bayes' rule: the odds of the positive class are multiplied by the ratio of the prior odds. What remains is shared
    among the other classes as before. It is valid under label shift: only the prevalence differs, not the images of a
    class.

    Args:
        probs: float64 (..., K), rows sum to 1.
        positive: Index of the positive class.
        measured: Prevalence among the calibration cases, above 0 and below 1.
        wanted: Prevalence among the people examined, above 0 and below 1.

    Raises:
        DataError: A prevalence is not above 0 and below 1.

    Source: Saerens et al., "Adjusting the outputs of a classifier to new a priori probabilities", 2002, eq. 2.4.

    Example:
        >>> at_prevalence(np.array([0.5, 0.5]), 1, measured=0.5, wanted=0.1).round(3).tolist()
        [0.9, 0.1]
    """
    check_prevalence(measured)
    check_prevalence(wanted)
    weights = np.full(probs.shape[-1], (1 - wanted) / (1 - measured))
    weights[positive] = wanted / measured
    moved = probs * weights
    return np.asarray(moved / moved.sum(axis=-1, keepdims=True))


def check_prevalence(prevalence: float) -> None:
    """Raise for a prevalence that is out of range.

    Raises:
        DataError: The prevalence is not above 0 and below 1.
    """
    if not 0 < prevalence < 1:
        raise DataError(
            f"prevalence {prevalence}: it is above 0 and below 1, e.g. 0.005 in screening or 0.3 in a referral clinic"
        )
