"""Contrast stretching between percentiles."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Below, Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def stretch(
    image: Image,
    low: Annotated[float, Within(0, 100), Below("high")] = 1.0,
    high: Annotated[float, Within(0, 100)] = 99.0,
) -> Image:
    """Return the image with the grey values between two percentiles spread linearly over 0–255, others clipped.

    Args:
        image: uint8 HW.
        low: Percentile that becomes 0.
        high: Percentile that becomes 255.

    Returns:
        uint8 HW; a copy of the image where both percentiles are one grey value.

    Raises:
        ConfigError: A value out of range, or ``low`` not below ``high``.
    """
    shares = np.cumsum(np.bincount(image.ravel(), minlength=256)) / image.size
    # Half a pixel's worth: no share is reached by values that do not occur.
    reached = (max(share / 100 - 1e-12, 0.5 / image.size) for share in (low, high))
    darkest, brightest = (int(np.searchsorted(shares, share)) for share in reached)
    if brightest <= darkest:
        return image.copy()
    spread = (np.arange(256) - darkest) * (255 / (brightest - darkest))
    return cv2.LUT(image, as_grey(spread)).astype(np.uint8, copy=False)
