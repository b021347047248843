"""The part of a picture that is ultrasound."""

from __future__ import annotations

import cv2
import numpy as np

from busight.data.shrink import shrink
from busight.preprocess.enhance.ranges import require_within
from busight.types import Image, Roi

_SIDE = 256


def crop_region(image: Image, level: int = 10) -> Roi:
    """Find the box around the ultrasound field: without black borders, and the text that stands in them.

    Not a filter: it chooses what all that follows sees, and what is found there is told in the whole picture's pixels.

    Args:
        image: uint8 HW.
        level: Grey value from which a pixel is not background, 1–100.

    Returns:
        The box of the largest connected bright region, after thin strokes are opened away, gaps of 3 % of the longer
        side closed, and what is still thin opened away. The whole picture where the box is less than a twentieth of it.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("crop_region", "level", level, 1, 100)
    height, width = image.shape
    whole = Roi(0, 0, height, width)
    small = shrink(image, _SIDE)
    bright = (small >= level).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    # With a border: morphology would otherwise treat what lies beyond the picture as bright.
    reach = max(3, round(0.03 * max(small.shape))) | 1
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    wide = cv2.copyMakeBorder(bright, *(reach,) * 4, cv2.BORDER_CONSTANT, value=0)
    without_strokes = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    tissue = cv2.morphologyEx(cv2.morphologyEx(without_strokes, cv2.MORPH_CLOSE, closing), cv2.MORPH_OPEN, disc)
    _, _, stats, _ = cv2.connectedComponentsWithStats(tissue[reach:-reach, reach:-reach], connectivity=8)
    if len(stats) < 2:
        return whole
    left, top, across, down, _ = stats[1:][stats[1:, cv2.CC_STAT_AREA].argmax()].tolist()
    if across * down < 0.05 * bright.size:
        return whole
    x, y = width / small.shape[1], height / small.shape[0]
    return Roi(
        max(0, int(np.floor(top * y))),
        max(0, int(np.floor(left * x))),
        min(height, int(np.ceil((top + down) * y))),
        min(width, int(np.ceil((left + across) * x))),
    )
