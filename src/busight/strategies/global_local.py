"""Global and local: a joint network on the whole image, then on the region of its predicted mask.

Source:
    Shen et al., An interpretable classifier for high-resolution breast cancer screening images utilizing weakly
    supervised localization (GMIC), Medical Image Analysis 2021: a global and a local module, fused; here one network is
    both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from busight.preprocess.pipeline import PreparedImage
from busight.segment.roi import region_of_interest
from busight.strategies.strategy import RawOutput, Stages, Strategy, propose
from busight.strategies.views import View, ViewOutput
from busight.types import Mask, Roi


class GlobalLocal(Strategy):
    """Average the global view and the local views: of the predicted mask, and of the lesion proposal if wanted."""

    name = "global_local"
    decodes_mask = True
    local_views = True

    def infer(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the output for each image, in two batches: all global and all local views."""
        raws = self.first_outputs(images, stages)
        if stages.use_proposal:
            raws = [
                raw if image.region else replace(raw, proposal=propose(image))
                for raw, image in zip(raws, images, strict=True)
            ]
        regions = [_local_regions(raw.mask, raw.proposal, stages) for raw in raws]
        views = [
            View(image.channels, region) for image, of_image in zip(images, regions, strict=True) for region in of_image
        ]
        local = iter(stages.run(views))
        return [_fused(raw, [next(local) for _ in of_image]) for raw, of_image in zip(raws, regions, strict=True)]

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return (
            f"Global and local: one {network} with a mask decoder and a class head, which sees the whole image and "
            "then the region that it found."
        )


def _local_regions(mask: Mask | None, proposal: Mask | None, stages: Stages) -> list[Roi]:
    masks = [region for region in (mask, proposal) if region is not None and region.any()]
    return [region_of_interest(region, stages.roi.margin, stages.roi.square) for region in masks]


def _fused(raw: RawOutput, local: Sequence[ViewOutput]) -> RawOutput:
    """Fuse the global view with the local ones, which together have the same weight.

    Outside its region a local view's map is 0. Inside it is weighted by the ratio of the image's to the region's area:
    only so is the mean of the fused map the fused logit, as the mean of each view's map is its own.
    """
    if not local:
        return raw
    logits = (raw.logits + np.mean([output.logits for output in local], axis=0)) / 2
    ((whole, _),) = raw.views
    views = ((whole, 0.5), *((output, 0.5 / len(local) / output.area_share) for output in local))
    return replace(raw, logits=logits, roi=local[0].view.roi, views=views)
