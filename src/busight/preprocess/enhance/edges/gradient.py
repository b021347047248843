"""Gradient magnitude (Scharr)."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def gradient(
    image: Image, sigma: Annotated[float, Within(0.3, 20)] = 1.5, gain: Annotated[float, Within(0.1, 50)] = 4.0
) -> Image:
    """Return the gradient magnitude of the image after a Gaussian.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian in pixels.
        gain: Grey value for a slope of one grey value a pixel.

    Returns:
        uint8 HW; what is steeper than 255 / gain is 255.

    Raises:
        ConfigError: A value out of range.
    """
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    # Scharr's weights sum to 16 on either side, two pixels apart.
    across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32, borderType=cv2.BORDER_REFLECT)
    down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32, borderType=cv2.BORDER_REFLECT)
    return as_grey(cv2.magnitude(across, down) * np.float32(gain))
