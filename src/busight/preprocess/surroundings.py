"""A picture at a working size, and its wide surroundings: what takes shadows and depth gain out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image

WORKING_SIDE = 160
"""Longest side, in pixels, at which surroundings are taken and regions are looked at: both are coarse."""


def shrunk(image: Image, longest: int) -> Image:
    """Return a picture, uint8 HW, averaged over areas to at most ``longest`` pixels on its longer side."""
    if max(image.shape) <= longest:
        return image
    scale = longest / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8).reshape(size[::-1])


def wide_surroundings(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Gaussian mean over about a fifth of the longer side, float32 HW, with 8 added: never near zero.

    Args:
        grey: float32 HW, 0–255.
    """
    wide = cv2.GaussianBlur(grey, (0, 0), 0.19 * max(grey.shape), borderType=cv2.BORDER_REFLECT)
    return np.asarray(wide, dtype=np.float32).reshape(grey.shape) + np.float32(8)
