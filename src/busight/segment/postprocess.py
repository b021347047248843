"""From a probability map to a lesion mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from busight.types import Mask


@dataclass(frozen=True, slots=True)
class PostprocessSettings:
    """How a probability map becomes a mask.

    Attributes:
        threshold: Probability from which a pixel is lesion, 0–1.
        components: Keep this many regions, 1 or more, those with the highest summed probability.
        minimum_share: Regions below this share of the image are dropped, 0 to below 1.
        fill_holes: Fill holes inside regions.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    components: Annotated[int, Field(ge=1)] = 1
    minimum_share: Annotated[float, Field(ge=0, lt=1)] = 0.002
    fill_holes: bool = True


def to_mask(probs: NDArray[np.float32], settings: PostprocessSettings) -> Mask:
    """Threshold, drop small regions, keep the best ones, fill holes.

    Args:
        probs: float32 HW in 0–1.
        settings: How.

    Returns:
        bool HW; all False where nothing is left: the image counts as one without a lesion.
    """
    above = (probs >= settings.threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    mass = np.bincount(labels.ravel(), weights=probs.ravel(), minlength=count)
    minimum = settings.minimum_share * probs.size
    regions = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= minimum]
    best = sorted(regions, key=lambda label: mass[label], reverse=True)[: settings.components]
    mask: Mask = np.isin(labels, best)
    return _filled(mask) if settings.fill_holes and best else mask


def _filled(mask: Mask) -> Mask:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, dtype=np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, thickness=cv2.FILLED)
    return filled.astype(np.bool_)
