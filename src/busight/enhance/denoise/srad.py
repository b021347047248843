"""Speckle-reducing anisotropic diffusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.enhance.ranges import require_within
from busight.enhance.rounding import as_grey
from busight.types import Image


def srad(image: Image, steps: int = 40, rate: float = 0.25, decay: float = 0.1667) -> Image:
    """Diffuse along the picture, not across its edges, which are told by the local variation of speckle.

    The picture is taken back from log compression, I = exp(u / 255), diffused by dI/dt = div(c grad I), and compressed
    again. c = 1 / (1 + (q^2 - q0^2) / (q0^2 (1 + q0^2))), where the instantaneous coefficient of variation is
    q^2 = (|grad I / I|^2 / 2 - (lap I / I)^2 / 16) / (1 + lap I / (4 I))^2. Its value for speckle, q0, is the median of
    q over the picture at the start, and falls as exp(-decay t).

    Args:
        image: uint8 HW.
        steps: Time steps, 1–500.
        rate: Length of a time step, 0.001–1; above, the scheme is unstable.
        decay: How fast q0 falls, 0–1.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Yu and Acton, Speckle reducing anisotropic diffusion, IEEE Transactions on Image Processing 11 (2002)
        1260–1270, eq. 31, 33, 35, 37 and 58–61.
    """
    require_within("srad", "steps", steps, 1, 500)
    require_within("srad", "rate", rate, 0.001, 1)
    require_within("srad", "decay", decay, 0, 1)
    intensity = np.exp(image.astype(np.float32) / np.float32(255))
    padded = np.empty((image.shape[0] + 2, image.shape[1] + 2), np.float32)
    start: float | None = None
    for step in range(steps):
        _pad(intensity, padded)
        north, south = padded[:-2, 1:-1] - intensity, padded[2:, 1:-1] - intensity
        west, east = padded[1:-1, :-2] - intensity, padded[1:-1, 2:] - intensity
        squared = _variation(intensity, north, south, west, east)
        if start is None:
            start = float(np.median(squared))
            if start <= 0:
                return image.copy()
        speckle = start * np.exp(-2 * decay * rate * step)
        squared -= np.float32(speckle)
        squared *= np.float32(1 / (speckle * (1 + speckle)))
        squared += 1
        # Below -1 of the fraction the quotient would change its sign; homogeneous places diffuse fully.
        np.maximum(squared, 1, out=squared)
        np.reciprocal(squared, out=squared)
        _pad(squared, padded)
        south *= padded[2:, 1:-1]
        east *= padded[1:-1, 2:]
        north += west
        north *= squared
        north += south
        north += east
        north *= np.float32(rate / 4)
        intensity += north
    return as_grey(np.log(intensity) * np.float32(255))


def _variation(
    intensity: NDArray[np.float32],
    north: NDArray[np.float32],
    south: NDArray[np.float32],
    west: NDArray[np.float32],
    east: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return q^2 from the differences to the four neighbours, never negative."""
    slope = north * north
    slope += south * south
    slope += west * west
    slope += east * east
    inverse = np.reciprocal(intensity)
    slope *= inverse
    slope *= inverse
    curve = north + south
    curve += west
    curve += east
    curve *= inverse
    # As in eq. 58 the squared gradient is the sum of forward and backward differences, N^2 + S^2 + W^2 + E^2.
    slope *= np.float32(0.5)
    slope -= np.float32(1 / 16) * (curve * curve)
    curve *= np.float32(0.25)
    curve += 1
    slope /= curve * curve
    np.maximum(slope, 0, out=slope)
    return slope


def _pad(values: NDArray[np.float32], padded: NDArray[np.float32]) -> None:
    """Copy into the middle; the rim repeats the edge."""
    padded[1:-1, 1:-1] = values
    padded[0, 1:-1], padded[-1, 1:-1] = values[0], values[-1]
    padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
