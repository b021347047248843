"""Gamma correction."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def gamma(image: Image, power: Annotated[float, Within(0.1, 10)] = 0.8) -> Image:
    """Return 255 (v / 255)^power for each grey value v.

    Args:
        image: uint8 HW.
        power: Below 1 dark parts become brighter, above 1 darker.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.
    """
    table = np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return cv2.LUT(image, table).astype(np.uint8, copy=False)
