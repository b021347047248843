"""A lesion at the working size of the descriptors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.types import FloatArray, Image, Mask

ROWS = 256
"""Rows of the image at the working size. A breast image shows some four centimetres: a row is about 0.16 mm."""

LEAST_AREA = 60
"""Pixels of the smallest lesion that is described: below, an outline has no shape."""


@dataclass(frozen=True, slots=True, eq=False)
class LesionView:
    """An image with a lesion, 256 rows high.

    Attributes:
        grey: float64 HW, 0–255.
        mask: bool HW: one region without holes.
        inside: float64 HW: distance from the outline in pixels, inside positive, outside negative.
        radius: Radius of the circle of the lesion's area, in pixels.
    """

    grey: FloatArray
    mask: Mask
    inside: FloatArray
    radius: float

    def smooth(self, sigma: float) -> FloatArray:
        """Return the image after a Gaussian of this deviation in pixels."""
        return np.asarray(cv2.GaussianBlur(self.grey, (0, 0), sigma), np.float64)


def lesion_view(image: Image, mask: Mask) -> LesionView:
    """Return an image and its largest region at the working size.

    Args:
        image: uint8 HW.
        mask: bool HW.

    Raises:
        DataError: The mask is empty, too small, or touches the image's border: what lies outside is unknown.
    """
    if not mask.any():
        raise DataError("no lesion is outlined: descriptors are undefined")
    scale = ROWS / image.shape[0]
    size = (max(8, round(image.shape[1] * scale)), ROWS)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(image, size, interpolation=method), np.float64)
    small = largest_region(np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=method)) >= 0.5)
    area = int(small.sum())
    if area < LEAST_AREA:
        raise DataError("the outlined lesion is too small: descriptors are undefined")
    if small[0].any() or small[-1].any() or small[:, 0].any() or small[:, -1].any():
        raise DataError("the outlined lesion touches the border of the image: descriptors are undefined")
    within = cv2.distanceTransform(small.astype(np.uint8), cv2.DIST_L2, 5)
    without = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5)
    # The outline runs between two pixels: both are half a pixel away from it.
    inside = np.where(small, within - 0.5, 0.5 - without).astype(np.float64)
    return LesionView(grey, small, inside, float(np.sqrt(area / np.pi)))


def largest_region(mask: NDArray[np.bool_]) -> Mask:
    """Return the largest region of a mask, bool HW, with its holes filled; an empty mask as it is."""
    from busight.segment.fill import filled

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return filled(np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), dtype=np.bool_))
