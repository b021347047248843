"""Canny edges, closed to regions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.enhance.denoise.gaussian import gaussian
from busight.segment.candidates import scored
from busight.types import Image


def canny(image: Image, sigma: float = 3.0, close: int = 9) -> NDArray[np.float32]:
    """Mark what closed edges enclose.

    The upper threshold is the 90th percentile of the gradient, the lower one 0.4 of it. Edges are joined by a closing;
    what the outer ground cannot reach is enclosed.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian smoothing in pixels.
        close: Diameter of the closing's disc in pixels, odd.

    Returns:
        float32 HW in 0–1; see `busight.segment.candidates.scored`.

    Source:
        Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine
        Intelligence 8 (1986) 679–698, as in OpenCV.
    """
    smooth = gaussian(image, sigma)
    across, down = (cv2.Sobel(smooth, cv2.CV_16S, *axes) for axes in ((1, 0), (0, 1)))
    high = float(np.percentile(np.abs(across.astype(np.int32)) + np.abs(down.astype(np.int32)), 90))
    if high <= 0:
        return np.zeros(image.shape, dtype=np.float32)
    edges = cv2.Canny(across, down, 0.4 * high, high)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (close, close))
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, disc)
    ground = np.pad(closed, 1)
    cv2.floodFill(ground, None, (0, 0), 255)
    enclosed = (ground[1:-1, 1:-1] == 0) | (closed > 0)
    # Single lines that enclose nothing go.
    enclosed = cv2.morphologyEx(enclosed.astype(np.uint8), cv2.MORPH_OPEN, disc).astype(np.bool_)
    return scored(enclosed, image)
