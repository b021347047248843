"""A small version of an image, for the search for near-duplicates."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Image

SIDE = 96
"""Side of the thumbnail on which near-duplicates are confirmed."""


def make_thumbnail(image: Image) -> Image:
    """Shrink an image to 96×96 by area averaging; the aspect ratio is not kept: near-duplicates are rescaled too.

    Args:
        image: uint8 HW.

    Returns:
        uint8 (96, 96).
    """
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
