"""Metrics of predicted labels, each a function of the confusion matrix (rows target, columns prediction).

Every function takes float64 (..., K, K) and works on all leading indices at once. Undefined is NaN:

- sensitivity (= recall) of a class without cases, precision of a class that was never predicted, specificity where
  every case belongs to the class, F1 of a class that neither occurs nor is predicted;
- kappa and MCC where one class takes all cases. (scikit-learn says 0 for MCC and, with a warning, for precision.)
- A macro average is the mean over *all* classes, and NaN as soon as one of them is undefined: means over different
  classes would not be comparable. Balanced accuracy takes the classes to average.

Source: scikit-learn user guide, section 3.4.4, for all definitions not given below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.metrics.ratio import ratio
from busight.types import FloatArray


def accuracy(confusion: FloatArray) -> FloatArray:
    """Return the share of right predictions, shape (...)."""
    return ratio(_diagonal(confusion).sum(-1), confusion.sum((-2, -1)))


def sensitivity(confusion: FloatArray) -> FloatArray:
    """Return, for each class, the share of its cases that is predicted as such (recall), shape (..., K).

    Example:
        >>> sensitivity(np.array([[8.0, 2.0], [0.0, 0.0]])).tolist()
        [0.8, nan]
    """
    return ratio(_diagonal(confusion), confusion.sum(-1))


def precision(confusion: FloatArray) -> FloatArray:
    """Return, for each class, the share of its predictions that is right, shape (..., K)."""
    return ratio(_diagonal(confusion), confusion.sum(-2))


def specificity(confusion: FloatArray) -> FloatArray:
    """Return, for each class, the share of the other classes' cases that is not predicted as it, shape (..., K)."""
    negatives = confusion.sum((-2, -1))[..., None] - confusion.sum(-1)
    false_positives = confusion.sum(-2) - _diagonal(confusion)
    return ratio(negatives - false_positives, negatives)


def f1(confusion: FloatArray) -> FloatArray:
    """Return, for each class, 2 TP / (2 TP + FP + FN), shape (..., K)."""
    return ratio(2 * _diagonal(confusion), confusion.sum(-1) + confusion.sum(-2))


def macro(per_class: FloatArray) -> FloatArray:
    """Return the mean over all classes, shape (...): NaN where one of them is undefined."""
    return np.asarray(per_class.mean(-1))


def support_weighted(per_class: FloatArray, confusion: FloatArray) -> FloatArray:
    """Return the mean over classes weighted by their cases, shape (...).

    A class without cases has no weight; a class with cases whose metric is undefined makes the mean undefined.
    """
    support = confusion.sum(-1)
    return ratio(np.where(support == 0, 0.0, support * per_class).sum(-1), support.sum(-1))


def balanced_accuracy(confusion: FloatArray, among: NDArray[np.bool_] | None = None) -> FloatArray:
    """Return the mean sensitivity over classes.

    Args:
        confusion: float64 (..., K, K).
        among: bool (K,), the classes to average; None for all. For a data set that lacks a class, give the classes
            it has, which is scikit-learn's convention; the same ones must then serve for every resample of it.

    Returns:
        float64 (...): NaN where one of these classes has no cases.
    """
    per_class = sensitivity(confusion)
    return macro(per_class if among is None else per_class[..., among])


def cohen_kappa(confusion: FloatArray) -> FloatArray:
    """Return agreement beyond chance, −1..1, shape (...).

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960; both sides of the fraction times n².
    """
    chance = (confusion.sum(-1) * confusion.sum(-2)).sum(-1)
    total = confusion.sum((-2, -1))
    return ratio(total * _diagonal(confusion).sum(-1) - chance, total**2 - chance)


def mcc(confusion: FloatArray) -> FloatArray:
    """Return Matthews' correlation coefficient for K classes, −1..1, shape (...).

    Source: Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004, eq. 8.
    """
    target, predicted = confusion.sum(-1), confusion.sum(-2)
    total = confusion.sum((-2, -1))
    covariance = total * _diagonal(confusion).sum(-1) - (target * predicted).sum(-1)
    spread = (total**2 - (target**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    return ratio(covariance, np.sqrt(spread))


def _diagonal(confusion: FloatArray) -> FloatArray:
    return np.diagonal(confusion, axis1=-2, axis2=-1)
