"""Decision curves: net benefit of treatment by a probability, against treating all or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.checks import check_scores
from busight.metrics.prevalence import check_prevalence
from busight.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class DecisionCurve:
    """Net benefit over threshold probabilities.

    Attributes:
        threshold: float64 (M,), threshold probabilities: 0.1 means that one missed cancer weighs as much as nine
            needless biopsies.
        model: float64 (M,), net benefit of treatment at ``probability >= threshold``, in true positives per case.
        treat_all: float64 (M,), net benefit of treating all; treating none has 0.
    """

    threshold: FloatArray
    model: FloatArray
    treat_all: FloatArray


def decision_curve(
    probs: FloatArray, positive: NDArray[np.bool_], threshold: FloatArray, prevalence: float | None = None
) -> DecisionCurve:
    """Return the net benefit, sensitivity × prevalence − odds of the threshold × (1 − specificity) × (1 − prevalence).

    Args:
        probs: float64 (N,), probability of the positive class.
        positive: bool (N,).
        threshold: float64 (M,), above 0 and below 1.
        prevalence: Among the people examined; None for that of the cases.

    Raises:
        DataError: The shapes of the arrays do not match, a threshold is out of range, or there is no positive or no
            negative case.

    Source: Vickers and Elkin, "Decision curve analysis", Medical Decision Making 26 (2006) 565.

    Example:
        >>> curve = decision_curve(np.array([0.9, 0.4, 0.2]), np.array([True, False, False]), np.array([0.5]))
        >>> round(float(curve.model[0]), 3), round(float(curve.treat_all[0]), 3)
        (0.333, -0.333)
    """
    check_scores(probs, positive)
    if not ((threshold > 0) & (threshold < 1)).all():
        raise DataError("a threshold probability is above 0 and below 1")
    if positive.all() or not positive.any():
        raise DataError("a decision curve needs positive and negative cases; add cases")
    if prevalence is not None:
        check_prevalence(prevalence)
    share = float(positive.mean()) if prevalence is None else prevalence
    called = probs[:, None] >= threshold
    sensitivity, false_alarms = called[positive].mean(axis=0), called[~positive].mean(axis=0)
    odds = threshold / (1 - threshold)
    model = sensitivity * share - odds * false_alarms * (1 - share)
    return DecisionCurve(threshold, np.asarray(model), share - odds * (1 - share))
