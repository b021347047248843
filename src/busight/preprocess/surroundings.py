"""The wide surroundings of each pixel, by which shadows and depth gain are removed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WORKING_SIDE = 160
"""Longest side, in pixels, at which surroundings and region scores are computed: both are coarse."""


def wide_surroundings(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Gaussian mean over about a fifth of the longer side, float32 HW, with 8 added: never near zero.

    Args:
        grey: float32 HW, 0–255.
    """
    wide = cv2.GaussianBlur(grey, (0, 0), 0.19 * max(grey.shape), borderType=cv2.BORDER_REFLECT)
    return np.asarray(wide, dtype=np.float32).reshape(grey.shape) + np.float32(8)
