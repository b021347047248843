"""No calibration: the softmax of the logits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

from busight.metrics.activations import softmax
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Identity:
    """Raw probabilities, unchanged."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    method: Literal["none"] = "none"

    @classmethod
    def fit(cls, logits: FloatArray, target: IntArray) -> Self:
        """Return the identity; there is nothing to fit."""
        return cls()

    def apply(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to probabilities, float64 (N, K), whose rows sum to 1."""
        return softmax(logits)

    def fits(self, n_classes: int) -> bool:
        """Return whether it was fitted on this number of classes: it fits any."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in a card."""
        return asdict(self)
