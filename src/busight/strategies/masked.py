"""Masked: segment the lesion, black out all else, classify the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from busight.preprocess.pipeline import PreparedImage
from busight.strategies.strategy import FirstView, Stages, Strategy
from busight.strategies.views import View
from busight.types import Image, Mask


class Masked(Strategy):
    """Classify the image times the predicted mask."""

    name = "masked"
    segments_first = True

    def first_views(self, images: Sequence[PreparedImage], stages: Stages) -> list[FirstView]:
        """Return views of the whole images, black where no lesion was predicted."""
        return [
            FirstView(View(blacked_out(image.channels, mask), image.box), mask, probs)
            for image, (mask, probs) in zip(images, stages.segment(images), strict=True)
        ]

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Masked: {segmenter} finds the lesion, all around it is blacked out, and the image goes to {network}."


def blacked_out(channels: Image, mask: Mask) -> Image:
    """Return an image, uint8 HW or HW3, with 0 where the mask, bool HW, is False."""
    return np.where(mask if channels.ndim == 2 else mask[..., None], channels, np.uint8(0))
