"""Otsu's threshold, and multi-Otsu."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.flatten import flattened
from busight.segment.proposal import scored
from busight.types import Image


def otsu(image: Image) -> NDArray[np.float32]:
    """Segment pixels darker than Otsu's threshold of the flattened image.

    Args:
        image: uint8 HW.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.

    Source:
        Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62–66, eq. 12.
    """
    smooth = flattened(image)
    _, dark = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    return scored([dark.astype(np.bool_)], image)


def multi_otsu(image: Image, classes: int = 4) -> NDArray[np.float32]:
    """Segment the darkest multi-Otsu class of the flattened image, or the two darkest, whichever has the better region.

    Args:
        image: uint8 HW.
        classes: 3–5.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.

    Source:
        Liao, Chen and Chung, A fast algorithm for multilevel thresholding, Journal of Information Science and
        Engineering 17 (2001) 713–727, as in scikit-image.
    """
    from skimage.filters import threshold_multiotsu

    smooth = flattened(image)
    if len(np.unique(smooth)) <= classes:
        return np.zeros(image.shape, dtype=np.float32)
    levels = threshold_multiotsu(smooth, classes=classes)
    return scored([smooth <= level for level in levels[:2]], image)
