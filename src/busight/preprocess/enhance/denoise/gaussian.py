"""Gaussian filter: noise and edges softened alike."""

from __future__ import annotations

import cv2
import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def gaussian(image: Image, sigma: float = 1.0) -> Image:
    """Convolve with a Gaussian.

    Args:
        image: uint8 HW.
        sigma: Standard deviation in pixels, 0.3–20.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("gaussian", "sigma", sigma, 0.3, 20)
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)
