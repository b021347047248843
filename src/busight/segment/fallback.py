"""Fallback to the lesion proposal where a network outlines nothing, or is unsure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from busight.types import Mask

SURE = 0.8
"""Mean probability inside a mask from which it is kept; chosen on half of BUS-BRA's groups
(docs/log/2026-11-segmentation.md)."""


def fallback_to_proposal(
    mask: Mask, probs: NDArray[np.float32], propose: Callable[[], Mask], sure: float = SURE
) -> Mask:
    """Return a network's mask, or, where it is empty or unsure, the most lesion-like region of the image.

    A network that was trained on normal images too answers an unfamiliar device's images with "nothing here", or
    with a faint mask. Where it is known that there is a lesion, edges, darkness and place find it more often than
    a network that doubts.

    Args:
        mask: bool HW, the network's.
        probs: float32 HW in 0–1, what the mask was thresholded from.
        propose: Returns the most lesion-like region, bool HW; called only where it is needed.
        sure: A mask with this mean probability inside is kept, 0–1.

    Returns:
        bool HW; empty only where the network marked nothing and nothing in the image is like a lesion.
    """
    if mask.any() and float(probs[mask].mean()) >= sure:
        return mask
    proposal = propose()
    return proposal if proposal.any() else mask
