"""Lee filter: the local mean where there is only speckle, the pixel itself at edges."""

from __future__ import annotations

from typing import Annotated

from busight.preprocess.enhance.denoise.moments import linear_estimate
from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.types import Image


@validate_params
def lee(image: Image, size: Annotated[int, Odd(3, 31)] = 7, noise: Annotated[float, Within(0, 2)] = 0.0) -> Image:
    """Return the local linear minimum mean-square error (LMMSE) estimate for multiplicative noise.

    y = m + k (x - m) with k = 1 - Cu^2 / C^2, at least 0: m and C are the mean and the coefficient of variation
    around the pixel, Cu is the coefficient of variation of speckle alone.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels.
        noise: Cu; 0 estimates it as the median of C over the image.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Lee, Digital image enhancement and noise filtering by use of local statistics, IEEE Transactions on Pattern
        Analysis and Machine Intelligence 2 (1980) 165–168, section IV, in the form of Lopes, Touzi and Nezry (1990).
    """
    return linear_estimate(image, size, noise, exact=False)
