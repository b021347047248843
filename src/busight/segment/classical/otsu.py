"""Otsu's threshold, and several at once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.enhance.denoise.gaussian import gaussian
from busight.segment.candidates import scored
from busight.types import Image


def otsu(image: Image, sigma: float = 3.0) -> NDArray[np.float32]:
    """Mark pixels darker than Otsu's threshold of the smoothed image.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        float32 HW in 0–1; see `busight.segment.candidates.scored`.

    Source:
        Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62–66, eq. 12.
    """
    smooth = gaussian(image, sigma)
    _, dark = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    return scored(dark.astype(np.bool_), image)


def multi_otsu(image: Image, classes: int = 4, sigma: float = 3.0) -> NDArray[np.float32]:
    """Mark the darkest of several classes of grey value, and the two darkest; in each place the better score counts.

    Args:
        image: uint8 HW.
        classes: 3–5.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        float32 HW in 0–1; see `busight.segment.candidates.scored`.

    Source:
        Liao, Chen and Chung, A fast algorithm for multilevel thresholding, Journal of Information Science and
        Engineering 17 (2001) 713–727, as in scikit-image.
    """
    from skimage.filters import threshold_multiotsu

    smooth = gaussian(image, sigma)
    if len(np.unique(smooth)) <= classes:
        return np.zeros(image.shape, dtype=np.float32)
    levels = threshold_multiotsu(smooth, classes=classes)
    return np.maximum(*(scored(smooth <= level, image) for level in levels[:2]))
