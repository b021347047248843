"""From a probability map to a lesion mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from busight.segment.fill import filled
from busight.types import Mask


@dataclass(frozen=True, slots=True)
class PostprocessSettings:
    """How a probability map becomes a mask.

    Attributes:
        threshold: Probability from which a pixel is lesion, 0–1.
        components: Keep this many regions, 1 or more, those with the highest summed probability.
        minimum_share: Regions below this share of the image are dropped, 0 to below 1.
        peak: A region must reach this probability somewhere, 0–1: a wide, faint region is no lesion. 0 requires
            nothing.
        fill_holes: Fill holes inside regions.
        smooth: Round off outlines by an opening and a closing with a disc; its radius as a share of the radius of a
            disc of the mask's area, 0–0.5. 0 leaves them as they are, and so does a radius that would leave nothing.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    components: Annotated[int, Field(ge=1)] = 1
    minimum_share: Annotated[float, Field(ge=0, lt=1)] = 0.002
    peak: Annotated[float, Field(ge=0, le=1)] = 0.0
    fill_holes: bool = True
    smooth: Annotated[float, Field(ge=0, le=0.5)] = 0.0


def to_mask(probs: NDArray[np.float32], settings: PostprocessSettings) -> Mask:
    """Threshold, smooth, drop small and faint regions, keep the best ones, fill holes.

    Args:
        probs: float32 HW in 0–1.
        settings: The post-processing.

    Returns:
        bool HW; all False where no region is left: the image counts as one without a lesion.
    """
    # NaN, which compares as False, must not count as no lesion.
    above: Mask = ~(probs < settings.threshold)
    if settings.smooth:
        above = _smoothed(above, settings.smooth)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above.astype(np.uint8), connectivity=8)
    minimum = settings.minimum_share * probs.size
    regions = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= minimum]
    if settings.peak > settings.threshold:
        reached = set(labels[probs >= settings.peak].tolist())
        regions = [label for label in regions if label in reached]
    if len(regions) > settings.components:
        mass = np.bincount(labels.ravel(), weights=probs.ravel(), minlength=count)
        regions = sorted(regions, key=lambda label: mass[label], reverse=True)[: settings.components]
    is_kept = np.zeros(count, dtype=np.bool_)
    is_kept[regions] = True
    mask: Mask = is_kept[labels]
    return filled(mask) if settings.fill_holes and regions else mask


def entropy(probs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the uncertainty of each pixel: the binary entropy of its probability, in bits.

    Args:
        probs: float32 HW in 0–1.

    Returns:
        float32 HW: 0 where the probability is 0 or 1, 1 where it is 1/2.

    Example:
        >>> entropy(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)).tolist()
        [[0.0, 1.0, 0.0]]
    """
    inside = np.clip(probs.astype(np.float64), 1e-12, 1 - 1e-12)
    bits = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    found: NDArray[np.float32] = bits.round(9).astype(np.float32)
    return found


def _smoothed(mask: Mask, share: float) -> Mask:
    radius = round(share * float(np.sqrt(mask.sum() / np.pi)))
    if radius < 1:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # With a border: OpenCV would otherwise close towards the image's edge as if the mask went on there.
    wide = cv2.copyMakeBorder(mask.astype(np.uint8), *(radius + 1,) * 4, cv2.BORDER_CONSTANT, value=0)
    opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc)[radius + 1 : -radius - 1, radius + 1 : -radius - 1]
    return np.asarray(closed, dtype=np.bool_) if closed.any() else mask
