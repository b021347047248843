"""Median filter: speckle reduced, edges kept."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Odd, validate_params
from busight.types import Image


@validate_params
def median(image: Image, size: Annotated[int, Odd(3, 31)] = 3) -> Image:
    """Return the median of each pixel's square neighbourhood.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.
    """
    return cv2.medianBlur(image, size).astype(np.uint8, copy=False)
