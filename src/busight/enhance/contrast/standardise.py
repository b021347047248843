"""Histogram normalisation to a reference, by landmarks."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from busight.errors import RecipeError
from busight.types import Image

BUSI_DECILES = "0 22 34 46 61 77 94 111 130 156 252"
"""Mean deciles of BUSI's 780 images, from minimum to maximum."""


def standardise(image: Image, reference: str = BUSI_DECILES) -> Image:
    """Move the quantiles of the picture to those of a reference; between them the mapping is linear.

    Args:
        image: uint8 HW.
        reference: Two or more grey values 0–255, never falling, separated by spaces: equally spaced quantiles of the
            reference, the first its minimum, the last its maximum. By default the mean deciles of BUSI.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: The reference is no row of grey values.

    Source:
        Nyúl and Udupa, On standardizing the MR image intensity scale, Magnetic Resonance in Medicine 42 (1999)
        1072–1081, with deciles as landmarks.
    """
    wanted = _landmarks(reference)
    own = np.percentile(image, np.linspace(0, 100, len(wanted)))
    # Landmarks that fall together have no slope between them: the last one counts.
    last = np.append(np.diff(own) > 0, True)
    table = np.interp(np.arange(256), own[last], np.array(wanted)[last])
    return cv2.LUT(image, np.rint(table).astype(np.uint8)).astype(np.uint8, copy=False)


def _landmarks(text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        values = []
    sound = len(values) >= 2 and all(0 <= value <= 255 for value in values)
    if not sound or any(later < earlier for earlier, later in pairwise(values)):
        raise RecipeError(f"standardise: reference {text!r} must be two or more grey values 0–255 that never fall")
    return values
