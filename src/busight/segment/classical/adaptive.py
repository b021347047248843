"""Adaptive threshold: pixels darker than their surroundings."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.proposal import scored
from busight.types import Image


def adaptive(image: Image, share: float = 0.5, offset: float = 8.0, sigma: float = 3.0) -> NDArray[np.float32]:
    """Segment pixels that are darker than the Gaussian mean of wide surroundings by an offset.

    Args:
        image: uint8 HW.
        share: Side of the surroundings as a share of the image's shorter side, 0–1.
        offset: Grey values.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.
    """
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    wide = max(sigma, share * min(image.shape) / 3)
    around = cv2.GaussianBlur(smooth, (0, 0), wide, borderType=cv2.BORDER_REFLECT)
    return scored([np.asarray(smooth < around - np.float32(offset))], image)
