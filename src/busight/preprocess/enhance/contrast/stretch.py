"""Percentile stretch."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.preprocess.enhance.ranges import require_within
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


def stretch(image: Image, low: float = 1.0, high: float = 99.0) -> Image:
    """Spread the grey values between two percentiles over 0–255, linearly; what lies outside is cut off.

    Args:
        image: uint8 HW.
        low: Percentile that becomes 0, 0–100.
        high: Percentile that becomes 255, above ``low``, to 100.

    Returns:
        uint8 HW; the image itself where both percentiles are one value.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("stretch", "low", low, 0, 100)
    require_within("stretch", "high", high, 0, 100)
    if low >= high:
        raise RecipeError(f"stretch: low {low:g} must be below high {high:g}")
    shares = np.cumsum(np.bincount(image.ravel(), minlength=256)) / image.size
    # Half a pixel's worth: no share is reached by values that do not occur.
    reached = (max(share / 100 - 1e-12, 0.5 / image.size) for share in (low, high))
    darkest, brightest = (int(np.searchsorted(shares, share)) for share in reached)
    if brightest <= darkest:
        return image.copy()
    spread = (np.arange(256) - darkest) * (255 / (brightest - darkest))
    return cv2.LUT(image, as_grey(spread)).astype(np.uint8, copy=False)
