"""Kuan filter: the Lee filter without its linear approximation of the noise."""

from __future__ import annotations

from typing import Annotated

from busight.preprocess.enhance.denoise.moments import linear_estimate
from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.types import Image


@validate_params
def kuan(image: Image, size: Annotated[int, Odd(3, 31)] = 7, noise: Annotated[float, Within(0, 2)] = 0.0) -> Image:
    """Return the local linear minimum mean-square error (LMMSE) estimate for signal-dependent noise.

    y = m + k (x - m) with k = (1 - Cu^2 / C^2) / (1 + Cu^2), at least 0; see `lee` for the symbols.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels.
        noise: Cu; 0 estimates it as the median of C over the image.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Kuan, Sawchuk, Strand and Chavel, Adaptive noise smoothing filter for images with signal-dependent noise, IEEE
        Transactions on Pattern Analysis and Machine Intelligence 7 (1985) 165–177.
    """
    return linear_estimate(image, size, noise, exact=True)
