"""Two stages: segment the lesion, crop its region, classify it. The paper's strategy."""

from __future__ import annotations

from collections.abc import Sequence

from busight.preprocess.pipeline import PreparedImage
from busight.segment.roi import region_of_interest
from busight.strategies.strategy import FirstView, Stages, Strategy
from busight.strategies.views import View


class TwoStage(Strategy):
    """Classify the region around the predicted lesion; the whole image where the mask is empty."""

    name = "two_stage"
    segments_first = True

    def first_views(self, images: Sequence[PreparedImage], stages: Stages) -> list[FirstView]:
        """Return views of the regions around predicted lesions, never around annotated ones."""
        return [
            FirstView(View(image.channels, region_of_interest(mask, stages.roi.margin, stages.roi.square)), mask, probs)
            for image, (mask, probs) in zip(images, stages.segment(images), strict=True)
        ]

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Two-stage: {segmenter} finds the lesion, its region goes to {network}."
