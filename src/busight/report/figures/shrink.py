"""Images no larger than a page shows them: keeps reports small and figures quick."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import NDArray

from busight.data.shrink import PixelT, shrink, shrink_mask
from busight.results.case import StageImages
from busight.types import Mask, Roi

LONGEST_SIDE = 360
"""Pixels: at 160 dots an inch this is 2.2 inches, a third of a page."""


def shrink_stages(stages: StageImages, longest: int = LONGEST_SIDE) -> StageImages:
    """Return a case with every image at most ``longest`` pixels on its longer side, aspect kept."""
    image = shrink(stages.image, longest)
    down, across = (new / old for new, old in zip(image.shape[:2], stages.image.shape[:2], strict=True))
    roi = stages.roi
    return replace(
        stages,
        image=image,
        enhanced=small_image(stages.enhanced, longest),
        mask=small_mask(stages.mask, longest),
        annotated_mask=small_mask(stages.annotated_mask, longest),
        activation=None if stages.activation is None else small_image(stages.activation, longest),
        roi=Roi(round(roi.top * down), round(roi.left * across), round(roi.bottom * down), round(roi.right * across)),
    )


def small_image(image: NDArray[PixelT], longest: int = LONGEST_SIDE) -> NDArray[PixelT]:
    """Return an image, uint8 or float32, HW or HW3, no larger than a page shows it."""
    return shrink(image, longest)


def small_mask(mask: Mask | None, longest: int = LONGEST_SIDE) -> Mask | None:
    """Return a mask no larger than a page shows it."""
    return None if mask is None else shrink_mask(mask, longest)
