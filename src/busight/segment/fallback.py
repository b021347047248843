"""A lesion where one is known to be: the network's outline where it is sure, the first guess elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from busight.segment.proposal import seed_region
from busight.types import Image, Mask

SURE = 0.8
"""Mean probability inside a mask from which it is kept; chosen on half of BUS-BRA's groups
(docs/log/2026-11-segmentation.md)."""


def with_lesion_assumed(
    mask: Mask,
    probs: NDArray[np.float32],
    image: Image,
    sure: float = SURE,
    likeliest: Callable[[], Mask] | None = None,
) -> Mask:
    """Return a network's mask, or, where it is empty or unsure, the most lesion-like region of the picture.

    A network that was trained on normal images too answers an unfamiliar device's pictures with "nothing here", or
    with a faint mark. Where somebody knows that there is a lesion, edges, darkness and place find it more often than
    a network that doubts.

    Args:
        mask: bool HW, what the network marked.
        probs: float32 HW in 0–1, what the mask was thresholded from.
        image: uint8 HW.
        sure: A mask with this mean probability inside is kept, 0–1.
        likeliest: Gives the most lesion-like region, bool HW, and is called only where it is needed; None looks for it
            in the image.

    Returns:
        bool HW; empty only where the network marked nothing and nothing in the picture is like a lesion.
    """
    if mask.any() and float(probs[mask].mean()) >= sure:
        return mask
    guess = seed_region(image).mask if likeliest is None else likeliest()
    return guess if guess.any() else mask
