"""Gaussian filter: noise and edges smoothed alike."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def gaussian(image: Image, sigma: Annotated[float, Within(0.3, 20)] = 1.0) -> Image:
    """Return the image convolved with a Gaussian.

    Args:
        image: uint8 HW.
        sigma: Standard deviation in pixels.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.
    """
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)
