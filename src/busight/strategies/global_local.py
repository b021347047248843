"""Global and local: a joint network sees the whole image, then the region of the mask that it found there.

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
from busight.strategies.strategy import RawOutput, Stages, Strategy, propose, raw_output
from busight.strategies.views import View, ViewOutput
from busight.types import Mask, Roi


class GlobalLocal(Strategy):
    """Take the mean of the global view and of the local views: of the mask, and of the lesion proposal if wanted."""

    name = "global_local"
    decodes_mask = True
    local_views = True

    def infer(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the answer for each image: two batches, of all global and of all local views."""
        firsts = self.first_views(images, stages)
        outputs = stages.run([first.view for first in firsts])
        raws = [raw_output(first, output, stages) for first, output in zip(firsts, outputs, strict=True)]
        if stages.use_proposal:
            raws = [replace(raw, proposal=propose(image)) for raw, image in zip(raws, images, strict=True)]
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
    """Join the global view with the local ones, which together weigh as much.

    Outside its region a local view knows nothing. Inside, its map counts for as many pixels as the image has for each
    of the region's: only so is the mean of the joined map the joined logit, as the mean of each view's map is its own.
    """
    if not local:
        return raw
    logits = (raw.logits + np.mean([output.logits for output in local], axis=0)) / 2
    ((whole, _),) = raw.views
    views = ((whole, 0.5), *((output, 0.5 / len(local) / output.area_share) for output in local))
    return replace(raw, logits=logits, roi=local[0].view.roi, views=views)
