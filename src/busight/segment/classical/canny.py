"""Canny edges, closed to regions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.flatten import flattened
from busight.segment.proposal import scored
from busight.types import Image


def canny(image: Image, sigma: float = 0.02, close: float = 0.04) -> NDArray[np.float32]:
    """Segment regions that closed edges enclose, or separate from the rest of the image.

    The upper threshold is the 90th percentile of the flattened image's gradient, the lower one 0.4 of it. Edges are
    joined by a closing.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the smoothing as a share of the image's longer side.
        close: Diameter of the closing's disc as a share of the image's longer side.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.

    Source:
        Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine
        Intelligence 8 (1986) 679–698, as in OpenCV.
    """
    smooth = flattened(image, sigma)
    across, down = (cv2.Sobel(smooth, cv2.CV_16S, *axes) for axes in ((1, 0), (0, 1)))
    high = float(np.percentile(np.abs(across.astype(np.int32)) + np.abs(down.astype(np.int32)), 90))
    if high <= 0:
        return np.zeros(image.shape, dtype=np.float32)
    side = max(3, round(close * max(image.shape)) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    edges = cv2.morphologyEx(cv2.Canny(across, down, 0.4 * high, high), cv2.MORPH_CLOSE, disc)
    ground = np.pad(edges, 1)
    cv2.floodFill(ground, None, (0, 0), 255)  # what the outer background does not reach is enclosed
    enclosed = ground[1:-1, 1:-1] == 0
    return scored([enclosed | (edges > 0), enclosed, edges == 0], image)
