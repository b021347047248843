"""Bilateral filter: neighbours weighted by distance and by difference of grey value."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def bilateral(
    image: Image, grey: Annotated[float, Within(1, 255)] = 30.0, space: Annotated[float, Within(0.5, 10)] = 2.0
) -> Image:
    """Return the mean of each pixel's neighbours, weighted by Gaussians of distance and of grey difference.

    Args:
        image: uint8 HW.
        grey: Standard deviation of the grey difference, in grey values.
        space: Standard deviation of the distance, in pixels.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Tomasi and Manduchi, Bilateral filtering for gray and color images, ICCV 1998.
    """
    smoothed = cv2.bilateralFilter(image, -1, grey, space, borderType=cv2.BORDER_REFLECT)
    return smoothed.astype(np.uint8, copy=False)
