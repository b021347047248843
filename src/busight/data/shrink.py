"""Smaller images and masks of the same aspect, by area averaging, so that speckle is not aliased."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Mask

PixelT = TypeVar("PixelT", np.uint8, np.float32)


def shrink(image: NDArray[PixelT], longest: int) -> NDArray[PixelT]:
    """Return an image with no side longer than ``longest`` pixels; one that has none already is returned as it is.

    Args:
        image: uint8 or float32, HW or HWC.
        longest: 1 or more.

    Example:
        >>> shrink(np.zeros((300, 600), np.uint8), 256).shape
        (128, 256)
    """
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=image.dtype).reshape(size[1], size[0], *image.shape[2:])


def shrink_mask(mask: Mask, longest: int) -> Mask:
    """Return a mask, bool HW, as `shrink` does; a pixel is lesion when at least half of its area is."""
    if max(mask.shape) <= longest:
        return mask
    return shrink(mask.astype(np.uint8) * 255, longest) >= 128
