"""An ensemble as one engine: the mean of temperature-scaled logits, and of all maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from busight.strategies.engine import Engine, Outputs

FEATURES = "features"


class EnsembleEngine:
    """The mean of several engines' outputs; class logits and activations times each member's own factor.

    The factor is the inverse of the member's temperature, so that each member is calibrated on its own cases. Features
    are not averaged: each network has its own.
    """

    def __init__(self, members: Sequence[Engine], inverse_temperatures: Sequence[float]) -> None:
        self._members = tuple(members)
        self._factors = tuple(map(np.float32, inverse_temperatures))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width of an input."""
        return self._members[0].input_shape

    @property
    def output_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each output without the batch."""
        return {name: shape for name, shape in self._members[0].output_shapes.items() if name != FEATURES}

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Return the mean outputs of a batch, float32 (N, C, H, W) in 0–1."""
        outputs = [member.run(batch) for member in self._members]
        return {
            name: np.mean(
                [_scaled(name, found[name], factor) for found, factor in zip(outputs, self._factors, strict=True)],
                axis=0,
            )
            for name in self.output_shapes
        }


def _scaled(name: str, values: NDArray[np.float32], factor: np.float32) -> NDArray[np.float32]:
    return values * factor if name in ("logits", "activation") else values
