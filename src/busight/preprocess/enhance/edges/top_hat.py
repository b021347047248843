"""Morphological top-hat: small bright or dark spots without the ground they stand on."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.preprocess.enhance.ranges import require_odd
from busight.types import Image

_KINDS = {"bright": cv2.MORPH_TOPHAT, "dark": cv2.MORPH_BLACKHAT}


def top_hat(image: Image, size: int = 31, kind: str = "dark") -> Image:
    """Subtract from the picture its opening, or the picture from its closing, with a disc.

    Args:
        image: uint8 HW.
        size: Diameter of the disc, odd, 3–127 pixels; what is larger disappears.
        kind: ``bright``: picture less opening. ``dark``: closing less picture.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Soille, Morphological Image Analysis, 2nd ed., section 4.4.
    """
    require_odd("top_hat", "size", size, 3, 127)
    if kind not in _KINDS:
        raise RecipeError(f"top_hat: kind {kind!r} must be {' or '.join(_KINDS)}")
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.morphologyEx(image, _KINDS[kind], disc, borderType=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)
