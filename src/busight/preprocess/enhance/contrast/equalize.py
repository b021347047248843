"""Histogram equalisation: grey values spread so that each is about equally frequent."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Image


def equalize(image: Image) -> Image:
    """Return the image with its whole histogram equalised.

    Args:
        image: uint8 HW.

    Returns:
        uint8 HW.

    Source:
        Gonzalez and Woods, Digital Image Processing, 4th ed., eq. 3-15: s = round((L - 1) CDF(r)), in OpenCV's form
        that maps the darkest occurring value to 0.
    """
    return cv2.equalizeHist(image).astype(np.uint8, copy=False)
