"""Beta calibration: for each class against the rest a curve with three parameters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from busight.decision.calibration.one_against_rest import normalised
from busight.decision.calibration.temperature import check_can_be_fitted
from busight.metrics.activations import clip_probs, expit, softmax
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Beta:
    """Beta calibration, p ↦ 1 / (1 + 1 / (e^c p^a / (1 − p)^b)) per class, then normalised.

    Attributes:
        curves: For each class (a, b, c), a and b at least 0.

    Source: Kull et al., "Beta calibration", AISTATS 2017, eq. 4.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    curves: tuple[tuple[float, float, float], ...]
    method: Literal["beta"] = "beta"

    @classmethod
    def fit(cls, logits: FloatArray, target: IntArray) -> Self:
        """Fit on validation cases.

        Raises:
            DataError: The cases cannot determine a calibration; see `fit_temperature`.
        """
        check_can_be_fitted(logits, target)
        probs = softmax(logits)
        return cls(tuple(_beta(probs[:, k], target == k) for k in range(probs.shape[1])))

    def apply(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to calibrated probabilities, float64 (N, K)."""
        probs = softmax(logits)
        return normalised(np.stack([_beta_of(probs[:, k], row) for k, row in enumerate(self.curves)], axis=1), probs)

    def fits(self, n_classes: int) -> bool:
        """Return whether it was fitted on this number of classes."""
        return len(self.curves) == n_classes

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in a card."""
        return asdict(self)


def _beta(probs: FloatArray, positive: FloatArray) -> tuple[float, float, float]:
    """Fit (a, b, c); an exponent that would be negative is set to 0 and the rest fitted again, as the source does.

    Where the other exponent would be negative too, the scores rank the class inversely, and only its prevalence
    remains.
    """
    from sklearn.linear_model import LogisticRegression

    inside = clip_probs(probs)
    features = np.stack([np.log(inside), -np.log1p(-inside)], axis=1)

    def fit(used: list[int]) -> tuple[list[float], float]:
        # Almost no penalty: the source has none, but on separable cases the fit would diverge.
        fitted = LogisticRegression(C=1e3, max_iter=1000).fit(features[:, used], positive)
        return fitted.coef_[0].tolist(), float(fitted.intercept_[0])

    (a, b), c = fit([0, 1])
    if a >= 0 and b >= 0:
        return a, b, c
    left = 1 if a < 0 <= b else 0
    (exponent,), c = fit([left])
    if exponent >= 0:
        return (0.0, exponent, c) if left else (exponent, 0.0, c)
    share = float(np.mean(positive))
    return 0.0, 0.0, float(np.log(share / (1 - share)))


def _beta_of(probs: FloatArray, numbers: tuple[float, ...]) -> FloatArray:
    a, b, c = numbers
    inside = clip_probs(probs)
    return np.asarray(expit(a * np.log(inside) - b * np.log1p(-inside) + c))
