"""Adaptive thresholding: a binary image of what is brighter than its surroundings."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.types import Image

_METHODS = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}


@validate_params
def adaptive_threshold(
    image: Image,
    method: Literal["mean", "gaussian"] = "gaussian",
    size: Annotated[int, Odd(3, 255)] = 51,
    offset: Annotated[float, Within(-100, 100)] = 5.0,
) -> Image:
    """Return 255 where a pixel is brighter than its local mean less an offset, 0 elsewhere.

    Args:
        image: uint8 HW.
        method: Weights of the local mean: all alike, or a Gaussian.
        size: Side of the neighbourhood in pixels.
        offset: Grey values below the mean that still count as bright.

    Returns:
        uint8 HW, 0 or 255.

    Raises:
        ConfigError: A value out of range.
    """
    binary = cv2.adaptiveThreshold(image, 255, _METHODS[method], cv2.THRESH_BINARY, size, offset)
    return binary.astype(np.uint8, copy=False)
