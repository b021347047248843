"""Vector scaling: calibration by a scale and an offset per class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np

from busight.decision.calibration.temperature import check_can_be_fitted, fit_temperature
from busight.metrics.activations import clip_probs, softmax
from busight.types import FloatArray, IntArray

_PRIOR_CASES: Final = 2.0
"""Weight of the prior, in cases: it keeps the parameters from overfitting few images."""


@dataclass(frozen=True, slots=True)
class VectorScaling:
    """Vector scaling: logits times a scale plus an offset, per class.

    Attributes:
        scale: K scales.
        offset: K offsets.

    Source: Guo et al., "On calibration of modern neural networks", 2017, section 4.2; shrunk towards one temperature by
    a normal prior that weighs as much as two cases.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    method: Literal["vector"] = "vector"

    @classmethod
    def fit(cls, logits: FloatArray, target: IntArray) -> Self:
        """Fit on validation cases.

        Raises:
            DataError: The cases cannot determine a calibration; see `fit_temperature`.
        """
        check_can_be_fitted(logits, target)
        return cls(*_fit_vector(np.asarray(logits, np.float64), target))

    def apply(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to calibrated probabilities, float64 (N, K)."""
        return softmax(np.asarray(logits, np.float64) * np.array(self.scale) + np.array(self.offset))

    def fits(self, n_classes: int) -> bool:
        """Return whether it was fitted on this number of classes."""
        return len(self.scale) == len(self.offset) == n_classes

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in a card."""
        return asdict(self)


def _fit_vector(logits: FloatArray, target: IntArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    from scipy.optimize import minimize

    n, k = logits.shape
    start = np.concatenate([np.full(k, 1 / fit_temperature(logits, target)), np.zeros(k)])
    truth = np.eye(k)[target]

    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        scale, offset = numbers[:k], numbers[k:]
        probs = softmax(logits * scale + offset)
        away = np.concatenate([scale / start[:k] - 1, offset])
        value = -np.log(clip_probs(probs[np.arange(n), target])).sum() + _PRIOR_CASES / 2 * float(away @ away)
        slope = probs - truth
        steep = np.concatenate([(slope * logits).sum(0), slope.sum(0)])
        return float(value), steep + _PRIOR_CASES * away / np.concatenate([start[:k], np.ones(k)])

    parameters = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * k + [(None, None)] * k).x
    return tuple(map(float, parameters[:k])), tuple(map(float, parameters[k:]))
