"""Depth-gain compensation: what grows dark with depth is brightened."""

from __future__ import annotations

import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.types import Image


def depth_gain(image: Image, strength: float = 0.7, smooth: float = 0.1) -> Image:
    """Level the mean brightness of the depths: after log compression a gain is a sum.

    The mean of each row over the pixels that are not black, smoothed over the rows, is subtracted and the mean of the
    picture added. Black pixels stay black: they are no tissue.

    Args:
        image: uint8 HW, the probe above.
        strength: Share of the difference that is taken away, 0–1.
        smooth: Standard deviation of the smoothing as a share of the height, 0.01–1.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.
    """
    require_within("depth_gain", "strength", strength, 0, 1)
    require_within("depth_gain", "smooth", smooth, 0.01, 1)
    from scipy.ndimage import gaussian_filter1d

    seen = image > 0
    counts = seen.sum(axis=1, dtype=np.float64)
    if not counts.any():
        return image.copy()
    sums = image.sum(axis=1, dtype=np.float64)
    sigma = max(0.3, smooth * len(image))
    # Rows count by how much of them is seen, so that a black rim does not darken its neighbours.
    level, weight = (gaussian_filter1d(row, sigma, mode="reflect") for row in (sums, counts))
    rows = level / np.maximum(weight, 1e-9)
    shift = strength * (sums.sum() / counts.sum() - rows)
    found = np.rint(image + shift[:, None].astype(np.float32)).clip(1, 255).astype(np.uint8)
    return np.where(seen, found, image)
