"""Removal of burned-in text and calipers."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.audit.overlays import stroke_mask
from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def remove_overlays(
    image: Image, grow: Annotated[int, Within(0, 10)] = 2, reach: Annotated[int, Within(1, 20)] = 3
) -> Image:
    """Return the image with thin, nearly white strokes inpainted from their surroundings.

    Args:
        image: uint8 HW.
        grow: Pixels by which each stroke is dilated: its rim is blurred.
        reach: Radius of the surroundings that fill a stroke, in pixels.

    Returns:
        uint8 HW; a copy of the image where there is no stroke.

    Raises:
        ConfigError: A value out of range.

    Source:
        The strokes are those of the audit (`busight.audit.overlays`); Telea, An image inpainting technique based on
        the fast marching method, Journal of Graphics Tools 9 (2004) 23–34.
    """
    strokes = stroke_mask(image)
    if not strokes.any():
        return image.copy()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    holes = cv2.dilate(strokes.astype(np.uint8), disc)
    return cv2.inpaint(image, holes, reach, cv2.INPAINT_TELEA).astype(np.uint8, copy=False)
