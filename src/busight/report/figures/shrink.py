"""Pictures no larger than a page shows them: keeps reports small and figures quick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.results.run_record import StagePicture
from busight.types import Mask, Roi

PixelT = TypeVar("PixelT", np.uint8, np.float32)

LONGEST_SIDE = 360
"""Pixels: at 160 dots an inch this is 2.2 inches, a third of a page."""


def shrunk(picture: StagePicture, longest: int = LONGEST_SIDE) -> StagePicture:
    """Return the picture with every image at most ``longest`` pixels on its longer side, aspect kept."""
    height, width = picture.image.shape
    across, down = (new / old for new, old in zip(_size(picture.image, longest), (width, height), strict=True))
    roi = picture.roi
    return replace(
        picture,
        image=small_image(picture.image, longest),
        enhanced=small_image(picture.enhanced, longest),
        mask=small_mask(picture.mask, longest),
        true_mask=small_mask(picture.true_mask, longest),
        activation=None if picture.activation is None else small_image(picture.activation, longest),
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
