"""Median filter: less speckle, edges kept."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.types import Image


def median(image: Image, size: int = 3) -> Image:
    """Replace each pixel by the median of its square neighbourhood.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels, odd, 3–31.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: An even or too large size.
    """
    if size % 2 == 0 or not 3 <= size <= 31:
        raise RecipeError(f"median: size {size} must be odd, 3–31 pixels")
    return cv2.medianBlur(image, size).astype(np.uint8, copy=False)
