"""Gamma correction."""

from __future__ import annotations

import cv2
import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def gamma(image: Image, power: float = 0.8) -> Image:
    """Map each grey value v to 255 (v / 255)^power: below 1 the dark parts open, above 1 they close.

    Args:
        image: uint8 HW.
        power: 0.1–10.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("gamma", "power", power, 0.1, 10)
    table = np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return cv2.LUT(image, table).astype(np.uint8, copy=False)
