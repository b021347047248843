"""Rounding of real numbers to grey values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.types import Image


def as_grey(values: NDArray[np.floating]) -> Image:
    """Return values rounded to the nearest grey value and clipped to 0–255: uint8 of the same shape."""
    grey: Image = np.rint(values).clip(0, 255).astype(np.uint8)
    return grey
