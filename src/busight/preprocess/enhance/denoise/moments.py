"""Local mean and coefficient of variation, and the linear estimate of Lee and Kuan from them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image

_DARK = 8
"""Grey value; darker places are left out of the estimate of speckle: quantisation dominates there."""


def local_moments(image: Image, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the squared coefficient of variation in a square around each pixel.

    Args:
        image: uint8 HW.
        size: Side of the square, odd.

    Returns:
        Mean, float32 HW; variance over squared mean, float32 HW, 0 where the mean is 0.
    """
    values = image.astype(np.float32)
    mean = np.asarray(cv2.blur(values, (size, size), borderType=cv2.BORDER_REFLECT), dtype=np.float32)
    squares = cv2.sqrBoxFilter(values, cv2.CV_32F, (size, size), borderType=cv2.BORDER_REFLECT)
    variation: NDArray[np.float32] = np.asarray(squares, dtype=np.float32)
    squared_mean = np.multiply(mean, mean, out=values)
    variation -= squared_mean
    np.maximum(variation, 0, out=variation)
    np.maximum(squared_mean, np.float32(1e-6), out=squared_mean)
    variation /= squared_mean
    variation[mean == 0] = 0
    return mean, variation


def linear_estimate(image: Image, size: int, noise: float, exact: bool) -> Image:
    """Return m + k (x - m), the local linear minimum mean-square error estimate; see `lee` for the symbols.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels, odd.
        noise: Cu; 0 estimates it.
        exact: Divide k by 1 + Cu^2, as Kuan does.

    Returns:
        uint8 HW.
    """
    mean, share = local_moments(image, size)
    speckle = speckle_variation(mean, share, noise)
    # k = 1 - Cu^2 / C^2, at least 0, in the place of C^2.
    np.maximum(share, np.float32(1e-9), out=share)
    np.divide(np.float32(-speckle), share, out=share)
    share += 1
    np.maximum(share, 0, out=share)
    if exact:
        share /= 1 + speckle
    share *= image - mean
    share += mean
    return as_grey(share)


def speckle_variation(mean: NDArray[np.float32], variation: NDArray[np.float32], given: float) -> float:
    """Return the squared coefficient of variation of speckle alone.

    Args:
        mean: Mean of `local_moments`, float32 HW.
        variation: Squared coefficient of variation of `local_moments`, float32 HW.
        given: Coefficient of variation set by the user; 0 takes the median over the image: most places are
            homogeneous at this scale.
    """
    if given:
        return given**2
    tissue = variation[mean >= _DARK]
    return float(np.median(tissue)) if tissue.size else 0.0
