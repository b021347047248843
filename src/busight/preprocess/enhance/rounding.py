"""From real numbers back to grey values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.types import Image


def as_grey(values: NDArray[np.floating]) -> Image:
    """Round to the nearest grey value; what lies outside 0–255 becomes 0 or 255."""
    grey: Image = np.rint(values).clip(0, 255).astype(np.uint8)
    return grey
