"""Region growing from the core of a lesion proposal."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.flatten import flattened
from busight.segment.proposal import LesionProposal, propose_lesion
from busight.types import Image


def region_growing(
    image: Image, spread: float = 4.0, reach: float = 0.5, proposal: LesionProposal | None = None
) -> NDArray[np.float32]:
    """Segment by region growing from the core of a lesion proposal over pixels of similar grey value.

    A pixel joins where it is within ``spread`` standard deviations of the core's mean, in one pass: the region is those
    pixels that are connected with the core and within ``reach`` radii of the proposal.

    Args:
        image: uint8 HW.
        spread: Standard deviations of the flattened image; at least 10 grey values are allowed.
        reach: Largest distance from the proposal, in radii of a disc of its area.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Adams and Bischof, Seeded region growing, IEEE Transactions on Pattern Analysis and Machine Intelligence 16
        (1994) 641–647, with a fixed criterion.
    """
    proposal = propose_lesion(image) if proposal is None else proposal
    if not proposal.mask.any():
        return np.zeros(image.shape, dtype=np.float32)
    smooth = flattened(image).astype(np.float64)
    depth = cv2.distanceTransform(proposal.mask.astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.distanceTransform((~proposal.mask).astype(np.uint8), cv2.DIST_L2, 5)
    core = depth >= 0.5 * depth.max()
    # Rounded, so that the order of summation cannot decide whether a pixel joins.
    mean, tolerance = round(float(smooth[core].mean()), 6), round(max(10.0, spread * float(smooth[core].std())), 6)
    alike = np.abs(smooth - mean) <= tolerance
    near = away <= reach * np.sqrt(proposal.mask.sum() / np.pi)
    _, labels = cv2.connectedComponents(((alike & near) | core).astype(np.uint8), connectivity=8)
    return proposal.marked(np.isin(labels, np.unique(labels[core])))
