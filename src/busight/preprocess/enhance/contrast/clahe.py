"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.types import Image


def clahe(image: Image, clip: float = 2.0, tiles: int = 8) -> Image:
    """Equalise in tiles, with the slope of each mapping limited, blended between tile centres.

    Args:
        image: uint8 HW.
        clip: Highest histogram bin as a multiple of the mean bin, above 0 and up to 40.
        tiles: Tiles along each side, 1–32.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV (1994) 474–485.
    """
    if not 0 < clip <= 40:
        raise RecipeError(f"clahe: clip {clip} must be above 0 and at most 40")
    if not 1 <= tiles <= 32:
        raise RecipeError(f"clahe: tiles {tiles} must be 1–32")
    return cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(image).astype(np.uint8, copy=False)
