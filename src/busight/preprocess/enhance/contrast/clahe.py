"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Above, Within, validate_params
from busight.types import Image


@validate_params
def clahe(image: Image, clip: Annotated[float, Above(0, 40)] = 2.0, tiles: Annotated[int, Within(1, 32)] = 8) -> Image:
    """Return the image equalised in tiles, each mapping limited in slope and blended between tile centres.

    Args:
        image: uint8 HW.
        clip: Highest histogram bin as a multiple of the mean bin.
        tiles: Tiles along each side.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV (1994) 474–485.
    """
    return cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(image).astype(np.uint8, copy=False)
