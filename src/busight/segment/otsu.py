"""Otsu's threshold: the lesion as the dark, compact region."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image


def otsu(image: Image, sigma: float = 3.0) -> NDArray[np.float32]:
    """Mark pixels darker than Otsu's threshold of the smoothed image, weighted by how central their region lies.

    Shadows and the edge of the picture are as dark as a lesion. Regions that touch the picture's border are
    therefore left out, and the others are weighted by compactness and centrality, so that post-processing, which
    keeps the best component, keeps a lesion if there is one.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        float32 HW in 0–1: 0 outside dark regions, a score from 0.5 to 1 inside.

    Source:
        Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62–66, eq. 12.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), sigma)
    _, dark = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(dark, connectivity=8)
    height, width = image.shape
    scores = np.zeros(count, dtype=np.float32)
    for label in range(1, count):
        left, top, box_width, box_height, area = stats[label]
        touches = left == 0 or top == 0 or left + box_width == width or top + box_height == height
        if touches:
            continue
        fill = area / (box_width * box_height)
        offset = np.hypot(centroids[label][0] / width - 0.5, centroids[label][1] / height - 0.5)
        scores[label] = 0.5 + 0.5 * fill * max(0.0, 1 - offset) * min(1.0, area / (0.02 * height * width))
    scored: NDArray[np.float32] = scores[labels]
    return scored
