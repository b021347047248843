"""Non-local means: the average of places that look alike, wherever they are nearby."""

from __future__ import annotations

import cv2
import numpy as np

from busight.preprocess.enhance.ranges import require_odd, require_within
from busight.types import Image


def nlm(image: Image, strength: float = 12.0, patch: int = 5, search: int = 15) -> Image:
    """Average pixels whose surroundings look alike, for additive noise.

    Args:
        image: uint8 HW.
        strength: Grey difference of patches that still counts, 1–100.
        patch: Side of the compared patches, odd, 3–15 pixels.
        search: Side of the neighbourhood searched, odd, 5–41 pixels.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR 2005.
    """
    require_within("nlm", "strength", strength, 1, 100)
    require_odd("nlm", "patch", patch, 3, 15)
    require_odd("nlm", "search", search, 5, 41)
    found = cv2.fastNlMeansDenoising(image, None, strength, patch, search)
    return found.astype(np.uint8, copy=False)
