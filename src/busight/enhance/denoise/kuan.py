"""Kuan filter: as Lee's, without its linear approximation of the noise."""

from __future__ import annotations

from busight.enhance.denoise.moments import lmmse_share, local_moments, speckle_variation
from busight.enhance.ranges import require_odd, require_within
from busight.enhance.rounding import as_grey
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
    require_odd("kuan", "size", size, 3, 31)
    require_within("kuan", "noise", noise, 0, 2)
    mean, variation = local_moments(image, size)
    speckle = speckle_variation(mean, variation, noise)
    share = lmmse_share(variation, speckle)
    share /= 1 + speckle
    share *= image - mean
    share += mean
    return as_grey(share)
