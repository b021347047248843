"""A window around a lesion proposal, in which contours evolve."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.proposal import LesionProposal, propose_lesion
from busight.segment.roi import region_of_interest
from busight.types import Image, Mask

Move = Callable[[Image, Mask], Mask | None]
"""From an image and an initial mask to the evolved one; None where the initial mask is too small."""


def evolve_from_proposal(
    image: Image, move: Move, side: int, proposal: LesionProposal | None = None
) -> NDArray[np.float32]:
    """Evolve a contour from a lesion proposal, in a window twice as wide, at reduced size.

    Args:
        image: uint8 HW.
        move: Called with the window's image and initial mask.
        side: Longest side, in pixels, of the image for ``move``.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.
    """
    seed = propose_lesion(image) if proposal is None else proposal
    if not seed.mask.any():
        return np.zeros(image.shape, dtype=np.float32)
    window = region_of_interest(seed.mask, margin=0.5, square=False)
    crop, start = window.cut(image), window.cut(seed.mask)
    scale = min(1.0, side / max(crop.shape))
    size = (max(8, round(crop.shape[1] * scale)), max(8, round(crop.shape[0] * scale)))
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    begun = cv2.resize(start.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    moved = move(small, begun) if begun.any() else None
    if moved is None:
        return seed.marked(seed.mask)
    mask = np.zeros(image.shape, dtype=np.bool_)
    back = cv2.resize(moved.astype(np.uint8), crop.shape[::-1], interpolation=cv2.INTER_NEAREST)
    window.cut(mask)[:] = back.astype(np.bool_)
    return seed.marked(mask)
