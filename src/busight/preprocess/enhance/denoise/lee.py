"""Lee filter: towards the local mean where there is only speckle, the pixel itself at edges."""

from __future__ import annotations

from busight.preprocess.enhance.denoise.moments import linear_estimate
from busight.types import Image


def lee(image: Image, size: int = 7, noise: float = 0.0) -> Image:
    """Filter multiplicative noise by the local linear minimum mean-square error.

    y = m + k (x - m) with k = 1 - Cu^2 / C^2, at least 0: m and C are mean and coefficient of variation around the
    pixel, Cu that of speckle alone.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood, odd, 3–31 pixels.
        noise: Cu, 0–2; 0 measures it as the median over the picture.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Lee, Digital image enhancement and noise filtering by use of local statistics, IEEE Transactions on Pattern
        Analysis and Machine Intelligence 2 (1980) 165–168, section IV, in the form of Lopes, Touzi and Nezry (1990).
    """
    return linear_estimate("lee", image, size, noise, exact=False)
