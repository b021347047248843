"""Region growing from the core of the first guess."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.candidates import scored, seed_region
from busight.types import Image


def region_growing(image: Image, spread: float = 3.0, sigma: float = 3.0) -> NDArray[np.float32]:
    """Grow the core of the first guess over neighbours whose grey value is like its own.

    A pixel joins while it lies within ``spread`` standard deviations of the core's mean, in one growth: the region is
    what of those pixels hangs together with the core.

    Args:
        image: uint8 HW.
        spread: Standard deviations; at least 10 grey values are allowed.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        float32 HW in 0–1; see `busight.segment.candidates.scored`.

    Source:
        Adams and Bischof, Seeded region growing, IEEE Transactions on Pattern Analysis and Machine Intelligence 16
        (1994) 641–647, with a fixed criterion.
    """
    seed = seed_region(image)
    if not seed.any():
        return np.zeros(image.shape, dtype=np.float32)
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    depth = cv2.distanceTransform(seed.astype(np.uint8), cv2.DIST_L2, 5)
    core = depth >= 0.5 * depth.max()
    reach = max(10.0, spread * float(smooth[core].std()))
    alike = np.abs(smooth - np.float32(smooth[core].mean())) <= reach
    _, labels = cv2.connectedComponents((alike | core).astype(np.uint8), connectivity=8)
    return scored(np.isin(labels, np.unique(labels[core])), image)
