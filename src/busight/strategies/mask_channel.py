"""Mask channel: segment the lesion, use its mask as the third channel of the classifier's input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from busight.preprocess.pipeline import PreparedImage
from busight.strategies.strategy import FirstView, Stages, Strategy
from busight.strategies.views import View
from busight.types import Image, Mask


class MaskChannel(Strategy):
    """Classify grey images with the predicted mask beside them."""

    name = "mask_channel"
    segments_first = True
    mask_channel = True

    def first_views(self, images: Sequence[PreparedImage], stages: Stages) -> list[FirstView]:
        """Return views of the whole images with the predicted masks as the third channel."""
        return [
            FirstView(View(with_mask_channel(image.channels, mask), image.box), mask, probs)
            for image, (mask, probs) in zip(images, stages.segment(images), strict=True)
        ]

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Mask as a channel: {segmenter} finds the lesion; image and mask go to {network}."


def with_mask_channel(grey: Image, mask: Mask) -> Image:
    """Return a grey image, uint8 HW, twice and the mask, 0 or 255, as uint8 HW3."""
    return np.stack([grey, grey, np.where(mask, np.uint8(255), np.uint8(0))], axis=-1)
