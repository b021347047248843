"""Speckle-reducing anisotropic diffusion (SRAD)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def srad(
    image: Image,
    steps: Annotated[int, Within(1, 500)] = 40,
    rate: Annotated[float, Within(0.001, 1)] = 0.25,
    decay: Annotated[float, Within(0, 1)] = 0.1667,
) -> Image:
    """Return the image diffused where its local variation is that of speckle, not across edges, where it is higher.

    The image is taken back from log compression, I = exp(u / 255), diffused by dI/dt = div(c grad I), and compressed
    again. c = 1 / (1 + (q^2 - q0^2) / (q0^2 (1 + q0^2))), where the instantaneous coefficient of variation is
    q^2 = (|grad I / I|^2 / 2 - (lap I / I)^2 / 16) / (1 + lap I / (4 I))^2. Its value for speckle, q0, is the median of
    q over the image at the start, and falls as exp(-decay t).

    Args:
        image: uint8 HW.
        steps: Number of time steps.
        rate: Length of a time step; above 1 the scheme is unstable.
        decay: How fast q0 falls.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Yu and Acton, Speckle reducing anisotropic diffusion, IEEE Transactions on Image Processing 11 (2002)
        1260–1270, eq. 31, 33, 35, 37 and 58–61.
    """
    intensity = np.exp(image.astype(np.float32) / np.float32(255))
    squared = _variation(intensity)
    start = float(np.median(squared))
    if start <= 0:
        return image.copy()
    for step in range(steps):
        if step:
            squared = _variation(intensity)
        speckle = start * np.exp(-2 * decay * rate * step)
        # c = q0^2 (1 + q0^2) / (q^2 + q0^4); where q is below q0 the tissue is homogeneous and diffuses fully.
        np.maximum(squared, np.float32(speckle), out=squared)
        squared += np.float32(speckle**2)
        share = np.divide(np.float32(rate / 4 * speckle * (1 + speckle)), squared, out=squared)
        # The flow out of a pixel is the flow into its neighbour; the share is that of the lower and of the right pixel.
        down, right = np.diff(intensity, axis=0), np.diff(intensity, axis=1)
        down *= share[1:]
        right *= share[:, 1:]
        intensity[:-1] += down
        intensity[1:] -= down
        intensity[:, :-1] += right
        intensity[:, 1:] -= right
        # Freed before the next step allocates its own: at most five images are held at a time.
        del squared, share, down, right
    np.log(intensity, out=intensity)
    intensity *= np.float32(255)
    return as_grey(intensity)


def _variation(intensity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return q^2, with numerator and denominator multiplied by I^2, which saves the divisions.

    As in eq. 58 the squared gradient is the sum of squared forward and backward differences, 0 across the border.
    """
    down, right = np.diff(intensity, axis=0), np.diff(intensity, axis=1)
    curve = np.zeros_like(intensity)
    curve[:-1] += down
    curve[1:] -= down
    curve[:, :-1] += right
    curve[:, 1:] -= right
    down *= down
    right *= right
    slope = np.zeros_like(intensity)
    slope[:-1] += down
    slope[1:] += down
    slope[:, :-1] += right
    slope[:, 1:] += right
    del down, right
    slope *= np.float32(0.5)
    curve *= np.float32(0.25)
    level = intensity + curve
    curve *= curve
    slope -= curve
    level *= level
    slope /= level
    return slope
