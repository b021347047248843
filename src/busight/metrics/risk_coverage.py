"""Selective prediction: risk over coverage when only the cases of highest confidence are predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.metrics.checks import check_probs
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """Risk–coverage curve.

    Attributes:
        confidence: float64 (M,), falling: the confidence threshold.
        coverage: float64 (M,), share of the cases that are predicted, rising to 1.
        risk: float64 (M,), share of these that are wrong.
    """

    confidence: FloatArray
    coverage: FloatArray
    risk: FloatArray

    @property
    def area(self) -> float:
        """Area under the curve (AURC), the mean risk over all cases as thresholds, 0–1; lower is better."""
        steps = np.diff(self.coverage, prepend=0.0)
        return float((self.risk * steps).sum())

    def at(self, coverage: float) -> tuple[float, float]:
        """Return coverage and risk of the first point with at least this coverage."""
        place = int(np.argmax(self.coverage >= coverage - 1e-12))
        return float(self.coverage[place]), float(self.risk[place])


def risk_coverage(target: IntArray, probs: FloatArray) -> RiskCoverage:
    """Return the risk–coverage curve; cases of equal confidence form one point.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), calibrated; the confidence of a case is its highest probability.

    Raises:
        DataError: The arrays are no matching targets and probabilities; see `busight.metrics.checks.check_probs`.

    Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010; area: Geifman
        et al., "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019.

    Example:
        >>> curve = risk_coverage(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]))
        >>> [round(value, 2) for value in curve.risk.tolist()]
        [0.0, 0.0, 0.33]
    """
    check_probs(target, probs)
    confidence = probs.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(probs[order].argmax(axis=1) != target[order])
    answered = np.arange(1, len(order) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)
    return RiskCoverage(confidence[order][last], answered[last] / len(order), wrong[last] / answered[last])
