"""Unsharp mask."""

from __future__ import annotations

import cv2
import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def unsharp(image: Image, sigma: float = 2.0, amount: float = 1.0) -> Image:
    """Add what a Gaussian takes away: v + amount (v - blurred).

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian in pixels, 0.3–20.
        amount: 0–10.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("unsharp", "sigma", sigma, 0.3, 20)
    require_within("unsharp", "amount", amount, 0, 10)
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return cv2.addWeighted(image, 1 + amount, blurred, -amount, 0).astype(np.uint8, copy=False)
