"""Watershed from two markers: a lesion proposal, and pixels far from it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.proposal import LesionProposal, propose_lesion
from busight.types import Image


def watershed(image: Image, sigma: float = 2.0, proposal: LesionProposal | None = None) -> NDArray[np.float32]:
    """Segment by watershed of the gradient, from the core of a lesion proposal and from outside a wide ring around it.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian smoothing in pixels.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Meyer, Color image segmentation, International Conference on Image Processing and its Applications (1992)
        303–306, as in OpenCV.
    """
    proposal = propose_lesion(image) if proposal is None else proposal
    seed = proposal.mask
    if not seed.any():
        return np.zeros(image.shape, dtype=np.float32)
    radius = float(np.sqrt(seed.sum() / np.pi))
    depth = cv2.distanceTransform(seed.astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.distanceTransform((~seed).astype(np.uint8), cv2.DIST_L2, 5)
    markers = np.zeros(image.shape, np.int32)
    markers[depth > 0.5 * depth.max()] = 1
    # A proposal that nearly fills the image leaves no pixels far from it: then the farthest ones.
    markers[away > min(0.5 * radius, 0.9 * float(away.max()))] = 2
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    slope = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    steep = np.asarray(slope * (255 / max(float(slope.max()), 1e-6)), dtype=np.uint8)
    flooded = cv2.watershed(cv2.cvtColor(steep, cv2.COLOR_GRAY2BGR), markers)
    return proposal.marked(np.asarray(flooded == 1))
