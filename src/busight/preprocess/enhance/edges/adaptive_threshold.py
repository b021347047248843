"""Adaptive thresholding: dark against its surroundings, as a picture of black and white."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.preprocess.enhance.ranges import require_odd, require_within
from busight.types import Image

_METHODS = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}


def adaptive_threshold(image: Image, method: str = "gaussian", size: int = 51, offset: float = 5.0) -> Image:
    """Set to 255 what is brighter than the mean around it less an offset, to 0 what is not.

    Args:
        image: uint8 HW.
        method: ``mean`` or ``gaussian``: how the surroundings are weighed.
        size: Side of the surroundings, odd, 3–255 pixels.
        offset: Grey values below the mean that still count as bright, -100–100.

    Returns:
        uint8 HW, 0 or 255.

    Raises:
        RecipeError: A value out of range.
    """
    if method not in _METHODS:
        raise RecipeError(f"adaptive_threshold: method {method!r} must be {' or '.join(_METHODS)}")
    require_odd("adaptive_threshold", "size", size, 3, 255)
    require_within("adaptive_threshold", "offset", offset, -100, 100)
    found = cv2.adaptiveThreshold(image, 255, _METHODS[method], cv2.THRESH_BINARY, size, offset)
    return found.astype(np.uint8, copy=False)
