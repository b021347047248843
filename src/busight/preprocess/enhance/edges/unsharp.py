"""Unsharp masking."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def unsharp(
    image: Image, sigma: Annotated[float, Within(0.3, 20)] = 2.0, amount: Annotated[float, Within(0, 10)] = 1.0
) -> Image:
    """Return v + amount (v - blurred): details that a Gaussian removes, added again.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian in pixels.
        amount: Weight of the added details.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.
    """
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return cv2.addWeighted(image, 1 + amount, blurred, -amount, 0).astype(np.uint8, copy=False)
