"""Burned-in text and calipers, painted over."""

from __future__ import annotations

import cv2
import numpy as np

from busight.audit.overlays import stroke_mask
from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def remove_overlays(image: Image, grow: int = 2, reach: int = 3) -> Image:
    """Paint over thin, nearly white strokes with what surrounds them.

    Args:
        image: uint8 HW.
        grow: Pixels by which each stroke is widened, 0–10: their rim is blurred.
        reach: Radius of what is looked at to fill in, 1–20 pixels.

    Returns:
        uint8 HW; the image itself where no stroke is found.

    Raises:
        RecipeError: A value out of range.

    Source:
        The strokes are those of the audit (`busight.audit.overlays`); Telea, An image inpainting technique based on
        the fast marching method, Journal of Graphics Tools 9 (2004) 23–34.
    """
    require_within("remove_overlays", "grow", grow, 0, 10)
    require_within("remove_overlays", "reach", reach, 1, 20)
    strokes = stroke_mask(image)
    if not strokes.any():
        return image.copy()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    holes = cv2.dilate(strokes.astype(np.uint8), disc)
    return cv2.inpaint(image, holes, reach, cv2.INPAINT_TELEA).astype(np.uint8, copy=False)
