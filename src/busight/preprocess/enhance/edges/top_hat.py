"""Morphological top-hat: small bright or dark structures without their background."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Odd, validate_params
from busight.types import Image

_OPERATIONS = {"bright": cv2.MORPH_TOPHAT, "dark": cv2.MORPH_BLACKHAT}


@validate_params
def top_hat(image: Image, size: Annotated[int, Odd(3, 127)] = 31, kind: Literal["bright", "dark"] = "dark") -> Image:
    """Return the white or black top-hat with a disc.

    Args:
        image: uint8 HW.
        size: Diameter of the disc in pixels; larger structures disappear.
        kind: ``bright``: image less opening (white top-hat). ``dark``: closing less image (black top-hat).

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Soille, Morphological Image Analysis, 2nd ed., section 4.4.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.morphologyEx(image, _OPERATIONS[kind], disc, borderType=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)
