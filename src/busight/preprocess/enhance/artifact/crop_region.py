"""Crop box of the ultrasound field."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.data.shrink import shrink
from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image, Roi

_SIDE = 256


@validate_params
def crop_region(image: Image, level: Annotated[int, Within(1, 100)] = 10) -> Roi:
    """Return the box around the ultrasound field: without black borders and the text in them.

    Not a filter: all filters and networks get the box alone; predictions are in pixels of the whole image.

    Args:
        image: uint8 HW.
        level: Lowest grey value of a pixel that is not background.

    Returns:
        The box of the largest connected bright region, after thin strokes are opened away, gaps of 3 % of the longer
        side closed, and what is still thin opened away. The whole image where the box is less than a twentieth of it.

    Raises:
        ConfigError: A value out of range.
    """
    height, width = image.shape
    whole = Roi(0, 0, height, width)
    small = shrink(image, _SIDE)
    bright = (small >= level).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    # With a border: morphology would otherwise treat what lies beyond the image as bright.
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
