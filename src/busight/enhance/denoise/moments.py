"""Local mean and variation, on which the classical speckle filters rest."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image

_DARK = 8
"""Means below this are left out where the speckle is measured: there quantisation rules."""


def local_moments(image: Image, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and squared coefficient of variation in a square around each pixel.

    Args:
        image: uint8 HW.
        size: Side of the square, odd.

    Returns:
        Mean, float32 HW; variance over squared mean, float32 HW, 0 where the mean is 0.
    """
    values = image.astype(np.float32)
    mean = np.asarray(cv2.blur(values, (size, size), borderType=cv2.BORDER_REFLECT), dtype=np.float32)
    square = np.asarray(cv2.sqrBoxFilter(values, cv2.CV_32F, (size, size), borderType=cv2.BORDER_REFLECT))
    squared_mean = mean * mean
    variance = np.maximum(square - squared_mean, 0)
    variation: NDArray[np.float32] = variance / np.maximum(squared_mean, np.float32(1e-6)) * (mean > 0)
    return mean, variation


def speckle_variation(mean: NDArray[np.float32], variation: NDArray[np.float32], given: float) -> float:
    """Return the squared coefficient of variation that speckle alone has.

    Args:
        mean: Of `local_moments`.
        variation: Of `local_moments`.
        given: Coefficient of variation that the user names; 0 takes the median over the picture: most places are
            homogeneous at this scale.
    """
    if given:
        return given**2
    tissue = variation[mean >= _DARK]
    return float(np.median(tissue)) if tissue.size else 0.0
