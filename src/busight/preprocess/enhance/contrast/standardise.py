"""Histogram normalisation to a reference, by landmarks."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

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
    own = _quantiles(image, len(wanted))
    # Landmarks that fall together have no slope between them: the last one counts.
    last = np.append(np.diff(own) > 0, True)
    table = np.interp(np.arange(256), own[last], np.array(wanted)[last])
    return cv2.LUT(image, np.rint(table).astype(np.uint8)).astype(np.uint8, copy=False)


def _quantiles(image: Image, count: int) -> NDArray[np.float64]:
    """Return equally spaced quantiles from minimum to maximum, as `numpy.percentile` but from counts: no sorting."""
    reached = np.cumsum(np.bincount(image.ravel(), minlength=256))
    places = np.linspace(0, image.size - 1, count)
    below, above = (np.searchsorted(reached, of(places), side="right") for of in (np.floor, np.ceil))
    return np.asarray(below + (places - np.floor(places)) * (above - below), dtype=np.float64)


def _landmarks(text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        values = []
    sound = len(values) >= 2 and all(0 <= value <= 255 for value in values)
    if not sound or any(later < earlier for earlier, later in pairwise(values)):
        raise RecipeError(f"standardise: reference {text!r} must be two or more grey values 0–255 that never fall")
    return values
