"""GrabCut from a lesion proposal, or from a box."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.window import evolve_from_proposal
from busight.segment.proposal import LesionProposal
from busight.types import Image, Mask

_SIDE = 192


def grabcut(image: Image, rounds: int = 5, proposal: LesionProposal | None = None) -> NDArray[np.float32]:
    """Segment by GrabCut: two mixtures of grey values with a smooth border, in a window around a lesion proposal.

    The proposal's core is fixed as lesion, pixels far from it as background; between them the smoothed image decides.

    Args:
        image: uint8 HW.
        rounds: Iterations of fitting the mixtures and cutting.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Rother, Kolmogorov and Blake, GrabCut, ACM Transactions on Graphics 23 (2004) 309–314, as in OpenCV.
    """

    def move(part: Image, start: Mask) -> Mask:
        """Cut within the window."""
        depth = cv2.distanceTransform(start.astype(np.uint8), cv2.DIST_L2, 5)
        away = cv2.distanceTransform((~start).astype(np.uint8), cv2.DIST_L2, 5)
        radius = float(np.sqrt(start.sum() / np.pi))
        trimap = np.full(part.shape, cv2.GC_PR_BGD, np.uint8)
        trimap[start] = cv2.GC_PR_FGD
        trimap[depth >= 0.6 * depth.max()] = cv2.GC_FGD
        trimap[away > 0.4 * radius] = cv2.GC_BGD
        if not ((trimap == cv2.GC_BGD) | (trimap == cv2.GC_PR_BGD)).any():
            return start  # a proposal that fills its window leaves no background
        smooth = cv2.GaussianBlur(part, (0, 0), 2, borderType=cv2.BORDER_REFLECT).reshape(part.shape)
        cv2.setRNGSeed(0)  # OpenCV starts the mixtures at random
        models = np.zeros((2, 1, 65))
        cv2.grabCut(np.repeat(smooth[..., None], 3, axis=2), trimap, None, *models, rounds, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
        foreground = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
        # Regions not connected with the proposal's core are other dark tissue.
        _, labels = cv2.connectedComponents(foreground.astype(np.uint8), connectivity=4)
        return np.isin(labels, np.unique(labels[(depth >= 0.6 * depth.max()) & foreground]))

    return evolve_from_proposal(image, move, _SIDE, proposal)
