"""Flattening: removal of shadows and depth gain, so that one threshold is valid for the whole image."""

from __future__ import annotations

import cv2
import numpy as np

from busight.data.shrink import shrink
from busight.preprocess.surroundings import WORKING_SIDE, wide_surroundings
from busight.types import Image


def flattened(image: Image, sigma: float = 0.012) -> Image:
    """Return the smoothed image divided by its wide surroundings, a Gaussian mean over a fifth of its longer side.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the smoothing as a share of the image's longer side.

    Returns:
        uint8 HW: 128 where a pixel is as bright as its surroundings.
    """
    wide = wide_surroundings(shrink(image, WORKING_SIDE).astype(np.float32))
    wide = np.asarray(cv2.resize(wide, image.shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma * max(image.shape), borderType=cv2.BORDER_REFLECT)
    return np.asarray(np.clip(128 * (smooth + 8) / wide, 0, 255).round(), dtype=np.uint8).reshape(image.shape)
