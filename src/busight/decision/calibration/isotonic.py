"""Isotonic calibration: isotonic regression of each class against the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from busight.decision.calibration.one_against_rest import normalised
from busight.decision.calibration.temperature import check_can_be_fitted
from busight.metrics.activations import softmax
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Isotonic calibration: a rising function per class, linear between its knots, then normalised.

    Attributes:
        raw: For each class the raw probabilities of its knots, rising.
        calibrated: For each class the calibrated probabilities of its knots.

    Source: Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
        2002.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    raw: tuple[tuple[float, ...], ...]
    calibrated: tuple[tuple[float, ...], ...]
    method: Literal["isotonic"] = "isotonic"

    def __post_init__(self) -> None:
        """Raise for knots that define no rising function."""
        pairs = zip(self.raw, self.calibrated, strict=False)
        if len(self.raw) != len(self.calibrated) or not all(
            len(x) == len(y) > 0 and list(x) == sorted(x) for x, y in pairs
        ):
            raise ValueError("isotonic knots rise, and each raw probability has its calibrated one")

    @classmethod
    def fit(cls, logits: FloatArray, target: IntArray) -> Self:
        """Fit on validation cases.

        Raises:
            DataError: The cases cannot determine a calibration; see `fit_temperature`.
        """
        from sklearn.isotonic import IsotonicRegression

        check_can_be_fitted(logits, target)
        probs = softmax(logits)
        fitted = [
            IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(probs[:, k], target == k)
            for k in range(probs.shape[1])
        ]
        return cls(
            tuple(tuple(map(float, one.X_thresholds_)) for one in fitted),
            tuple(tuple(map(float, one.y_thresholds_)) for one in fitted),
        )

    def apply(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to calibrated probabilities, float64 (N, K)."""
        probs = softmax(logits)
        each = [np.interp(probs[:, k], x, y) for k, (x, y) in enumerate(zip(self.raw, self.calibrated, strict=True))]
        return normalised(np.stack(each, axis=1), probs)

    def fits(self, n_classes: int) -> bool:
        """Return whether it was fitted on this number of classes."""
        return len(self.raw) == n_classes

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in a card."""
        return asdict(self)
