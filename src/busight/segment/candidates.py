"""Which of several dark regions is the lesion: a score from darkness, compactness, depth and centrality."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.enhance.denoise.gaussian import gaussian
from busight.types import Image, Mask

_LEAST_SHARE = 0.002
_LARGEST_SHARE = 0.5
_GOOD_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that may be a lesion.

    Attributes:
        score: 0–1, higher is more lesion-like.
        row: Of its centre.
        column: Of its centre.
        area: Pixels.
        label: Its number in the map of regions.
    """

    score: float
    row: float
    column: float
    area: int
    label: int


def candidates(dark: Mask, image: Image) -> tuple[list[Candidate], NDArray[np.int32]]:
    """Score the connected regions of a mask, the most lesion-like first.

    The score is the product of five numbers in 0–1: how much darker the region is than a ring around it; how much of
    its convex hull it fills; how near its depth is to the middle of the picture, where shadows and skin are not; how
    near its column is to the middle, where the operator puts what she looks at; and how near its area is to 2 % of the
    picture, from below. A region that touches the border counts a third, one that touches two borders not at all.

    Args:
        dark: bool HW.
        image: uint8 HW, whose grey values are compared.

    Returns:
        The candidates with a score above 0, and the label of each pixel's region, int32 HW.
    """
    if not dark.any():
        return [], np.zeros(image.shape, dtype=np.int32)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
    height, width = image.shape
    found = []
    for label in range(1, count):
        left, top, box_width, box_height, area = (int(value) for value in stats[label])
        share = area / image.size
        borders = (left == 0) + (top == 0) + (left + box_width == width) + (top + box_height == height)
        if not _LEAST_SHARE <= share <= _LARGEST_SHARE or borders > 1:
            continue
        column, row = (float(value) for value in centroids[label])
        # Only the region and a ring around it are looked at, not the whole picture each time.
        reach = max(3, round(0.35 * np.sqrt(area)))
        rows = slice(max(0, top - reach), min(height, top + box_height + reach))
        columns = slice(max(0, left - reach), min(width, left + box_width + reach))
        inside = labels[rows, columns] == label
        score = (
            _darkness(image[rows, columns], inside, reach)
            * _solidity(inside)
            * float(np.exp(-(((row / height - 0.45) / 0.3) ** 2)))
            * float(np.exp(-(((column / width - 0.5) / 0.4) ** 2)))
            * min(1.0, share / _GOOD_SHARE) ** 0.5
            / (3 if borders else 1)
        )
        if score > 0:
            found.append(Candidate(score, row, column, area, label))
    return sorted(found, key=lambda one: -one.score), np.asarray(labels, dtype=np.int32)


def scored(dark: Mask, image: Image) -> NDArray[np.float32]:
    """Return a map of the regions' scores: 0 outside, 0.5–1 in regions that may be a lesion.

    Args:
        dark: bool HW.
        image: uint8 HW.
    """
    found, labels = candidates(dark, image)
    table = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    for one in found:
        table[one.label] = 0.5 + 0.5 * one.score
    values: NDArray[np.float32] = table[labels]
    return values


def best_region(dark: Mask, image: Image) -> Mask:
    """Return the most lesion-like region of a mask; all False where there is none."""
    found, labels = candidates(dark, image)
    region: Mask = labels == found[0].label if found else np.zeros(image.shape, dtype=np.bool_)
    return region


def seed_region(image: Image, sigma: float = 3.0) -> Mask:
    """Return a first guess of the lesion, for methods that start from one: the best region over many thresholds.

    Args:
        image: uint8 HW.
        sigma: Standard deviation of the Gaussian smoothing in pixels.

    Returns:
        bool HW; all False where no threshold gives a candidate.
    """
    smooth = gaussian(image, sigma)
    best, score = np.zeros(image.shape, dtype=np.bool_), 0.0
    for share in range(5, 60, 5):
        dark: Mask = smooth <= np.percentile(smooth, share)
        # Opening parts what hangs together by a thread only.
        opened = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).astype(np.bool_)
        found, labels = candidates(opened, smooth)
        if found and found[0].score > score:
            best, score = labels == found[0].label, found[0].score
    return best


def _darkness(image: Image, inside: Mask, reach: int) -> float:
    """Return how much darker a region is than the ring around it, over the grey range of both, 0–1."""
    ring = (cv2.dilate(inside.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0) & ~inside
    if not ring.any():
        return 0.0
    around = float(image[ring].mean())
    return max(0.0, around - float(image[inside].mean())) / max(around, 1.0)


def _solidity(inside: Mask) -> float:
    points = cv2.findNonZero(inside.astype(np.uint8))
    if points is None or len(points) < 3:
        return 0.0
    hull = float(cv2.contourArea(cv2.convexHull(points)))
    return min(1.0, float(inside.sum()) / hull) if hull > 0 else 0.0
