"""Images no larger than a page shows them: keeps reports small and figures quick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.results.case import StageImages
from busight.types import Mask, Roi

PixelT = TypeVar("PixelT", np.uint8, np.float32)

LONGEST_SIDE = 360
"""Pixels: at 160 dots an inch this is 2.2 inches, a third of a page."""


def shrink_stages(stages: StageImages, longest: int = LONGEST_SIDE) -> StageImages:
    """Return a case with every image at most ``longest`` pixels on its longer side, aspect kept."""
    height, width = stages.image.shape
    across, down = (new / old for new, old in zip(_size(stages.image, longest), (width, height), strict=True))
    roi = stages.roi
    return replace(
        stages,
        image=small_image(stages.image, longest),
        enhanced=small_image(stages.enhanced, longest),
        mask=small_mask(stages.mask, longest),
        annotated_mask=small_mask(stages.annotated_mask, longest),
        activation=None if stages.activation is None else small_image(stages.activation, longest),
        roi=Roi(round(roi.top * down), round(roi.left * across), round(roi.bottom * down), round(roi.right * across)),
    )


def small_image(image: NDArray[PixelT], longest: int = LONGEST_SIDE) -> NDArray[PixelT]:
    """Return an image, uint8 or float32 HW, averaged over areas so that speckle makes no false patterns."""
    if max(image.shape) <= longest:
        return image
    return np.asarray(cv2.resize(image, _size(image, longest), interpolation=cv2.INTER_AREA), dtype=image.dtype)


def small_mask(mask: Mask | None, longest: int = LONGEST_SIDE) -> Mask | None:
    """Return a mask in which a pixel is set where at least half of its area was."""
    if mask is None or max(mask.shape) <= longest:
        return mask
    return small_image(mask.astype(np.float32), longest) >= 0.5


def _size(image: NDArray[Any], longest: int) -> tuple[int, int]:
    """Return (width, height) after shrinking."""
    height, width = image.shape
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))
