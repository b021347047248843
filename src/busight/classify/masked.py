"""A segmenter's mask shown to a classifier: as black surroundings, or as a channel."""

from __future__ import annotations

import numpy as np

from busight.classify.settings import LesionUse
from busight.types import Image, Mask


def with_mask(use: LesionUse, layers: Image, mask: Mask) -> Image:
    """Return what a classifier sees of a picture whose lesion is marked.

    ``masked`` gives the picture times the mask, black where no lesion is marked; ``mask-channel`` the picture twice and
    the mask, 0 or 255, as the third channel. Any other use of the lesion gives the picture as it is.

    Args:
        use: Of `ClassifySettings`.
        layers: uint8 HW or HW3, enhanced; HW for ``mask-channel``.
        mask: bool HW, what the segmenter marked.

    Returns:
        uint8 HW or HW3; HW3 for ``mask-channel``.
    """
    if use == "masked":
        return np.where(mask if layers.ndim == 2 else mask[..., None], layers, np.uint8(0))
    if use == "mask-channel":
        return np.stack([layers, layers, np.where(mask, np.uint8(255), np.uint8(0))], axis=-1)
    return layers


def input_channels(use: LesionUse, enhanced: int) -> int:
    """Return how many channels a classifier's input has, 1 or 3, after an enhancement that gives so many."""
    return 3 if use == "mask-channel" else enhanced
