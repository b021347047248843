"""Bilateral filter: neighbours count by distance and by likeness of grey."""

from __future__ import annotations

import cv2
import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def bilateral(image: Image, grey: float = 30.0, space: float = 2.0) -> Image:
    """Average neighbours that look alike.

    Args:
        image: uint8 HW.
        grey: Standard deviation of the grey difference, 1–255.
        space: Standard deviation of the distance in pixels, 0.5–10.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Tomasi and Manduchi, Bilateral filtering for gray and color images, ICCV 1998.
    """
    require_within("bilateral", "grey", grey, 1, 255)
    require_within("bilateral", "space", space, 0.5, 10)
    found = cv2.bilateralFilter(image, -1, grey, space, borderType=cv2.BORDER_REFLECT)
    return found.astype(np.uint8, copy=False)
