"""Fallback to the lesion proposal where a network's mask is empty or uncertain."""

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
    """Return a network's mask, or, where it is empty or uncertain, the lesion proposal.

    On images of an unfamiliar device, a network that was trained on normal images too often predicts an empty or a
    faint mask. Where it is known that there is a lesion, the lesion proposal, by edges, darkness and place, is then
    right more often than the network.

    Args:
        mask: bool HW, the network's mask.
        probs: float32 HW in 0–1, the probabilities of the mask.
        propose: Returns the lesion proposal, bool HW; called only where it is needed.
        sure: A mask with this mean probability inside is kept, 0–1.

    Returns:
        bool HW; empty only where both the network's mask and the lesion proposal are empty.
    """
    if mask.any() and float(probs[mask].mean()) >= sure:
        return mask
    proposal = propose()
    return proposal if proposal.any() else mask
