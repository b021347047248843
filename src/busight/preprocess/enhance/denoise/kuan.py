"""Kuan filter: as Lee's, without its linear approximation of the noise."""

from __future__ import annotations

from busight.preprocess.enhance.denoise.moments import linear_estimate
from busight.types import Image


def kuan(image: Image, size: int = 7, noise: float = 0.0) -> Image:
    """Filter signal-dependent noise by the local linear minimum mean-square error.

    y = m + k (x - m) with k = (1 - Cu^2 / C^2) / (1 + Cu^2), at least 0; see `lee` for the letters.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood, odd, 3–31 pixels.
        noise: Cu, 0–2; 0 measures it as the median over the picture.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Kuan, Sawchuk, Strand and Chavel, Adaptive noise smoothing filter for images with signal-dependent noise, IEEE
        Transactions on Pattern Analysis and Machine Intelligence 7 (1985) 165–177.
    """
    return linear_estimate("kuan", image, size, noise, exact=True)
