"""Joint: one encoder with a mask decoder and a class head; one view gives mask and class."""

from __future__ import annotations

from collections.abc import Sequence

from busight.preprocess.pipeline import PreparedImage
from busight.strategies.strategy import FirstView, RawOutput, Stages, classify_first_views, whole_views


class Joint:
    """Classify and segment the whole image with one network."""

    name = "joint"
    segments_first = False
    decodes_mask = True
    mask_channel = False
    local_views = False

    def first_views(self, images: Sequence[PreparedImage], stages: Stages) -> list[FirstView]:
        """Return views of the whole images."""
        return whole_views(images)

    def infer(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the answer for each image."""
        return classify_first_views(self, images, stages)

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Joint: one {network} with a mask decoder and a class head."
