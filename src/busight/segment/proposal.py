"""Lesion proposals: dark regions scored by edge, darkness, compactness, depth, centrality and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.data.shrink import shrink
from busight.preprocess.surroundings import WORKING_SIDE, wide_surroundings
from busight.segment.fill import filled
from busight.types import Image, Mask

_LEAST_SHARE, _LARGEST_SHARE = 0.004, 0.4
_LEVELS = range(5, 65, 5)
_ELLIPSE_5 = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


PROPOSAL_VERSION = "1"
"""To be changed with any change of a proposed region: bundles that use proposals depend on it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that may be a lesion.

    Attributes:
        score: Above 0; higher is more lesion-like.
        label: Label in the map of regions.
    """

    score: float
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """An image at the working size of the scores.

    Attributes:
        grey: float32 hw.
        wide: float32 hw: grey values of the wide surroundings; division by them removes shadows and depth gain.
        slope: int64 hw: the gradient magnitude of the smoothed image, in steps of 1e-5. Integers, whose sum does not
            depend on the order of summation: the same image must give the same scores to the last digit.
        mean_slope: Its mean, at least 1.
    """

    grey: NDArray[np.float32]
    wide: NDArray[np.float32]
    slope: NDArray[np.int64]
    mean_slope: float

    def smooth(self, sigma: float) -> NDArray[np.float32]:
        """Return the smoothed image relative to the wide surroundings, float32 hw."""
        smooth: NDArray[np.float32] = _blurred(self.grey, sigma) / self.wide
        return smooth


def candidates(dark: Mask, image: Image) -> tuple[list[Candidate], NDArray[np.int32]]:
    """Score the connected regions of a mask, the most lesion-like first.

    The score is a product: how steep the image is along the region's outline, over its mean steepness, squared; how
    much darker the region is than a ring around it, squared; how much of its convex hull it fills; and bell curves of
    its depth (best at a third of the image, below skin and above shadows), its column (best in the middle, where
    operators centre a lesion) and the logarithm of its area (best at a fifth of the image). Each border of the image
    that it touches costs a factor e.

    The constants were chosen on one half of BUSI's groups; near them the outcome is flat
    (docs/log/2026-11-segmentation.md).

    Args:
        dark: bool HW.
        image: uint8 HW, whose grey values are compared.

    Returns:
        The candidates, and the label of each pixel's region, int32 HW.
    """
    labels = _components(dark)
    if not dark.any():
        return [], labels
    view = _view(image)
    small = cv2.resize(labels.astype(np.float32), view.grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return _ranked(np.asarray(small, dtype=np.int32), view), labels


def scored(levels: Sequence[Mask], image: Image) -> NDArray[np.float32]:
    """Return a map of the regions' scores: above 0.5 in the most lesion-like region, below in others, 0 outside.

    Args:
        levels: bool HW each, one or more segmentations of dark from bright. The one with the best region counts, as it
            is or opened: opening separates regions joined by thin bridges only.
        image: uint8 HW.

    Returns:
        float32 HW in 0–1.
    """
    ways = [candidates(mask, image) for dark in levels for mask in (dark, _opened(dark))]
    ranked, labels = max(ways, key=lambda way: way[0][0].score if way[0] else 0.0)
    table = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    for rank, candidate in enumerate(ranked):
        table[candidate.label] = _bounded(candidate.score) - (0.5 if rank else 0.0)
    values: NDArray[np.float32] = table[labels]
    return values


@dataclass(frozen=True, slots=True, eq=False)
class LesionProposal:
    """The most lesion-like region of an image.

    Attributes:
        mask: bool HW; all False where there is no candidate.
        score: Score of `candidates`; 0 where the mask is empty.
    """

    mask: Mask
    score: float

    def marked(self, mask: Mask) -> NDArray[np.float32]:
        """Return a mask that grew out of the proposal as float32 HW: 0.5–1 inside, by its score, 0 outside."""
        return mask.astype(np.float32) * np.float32(_bounded(self.score))


def propose_lesion(image: Image, at: tuple[int, int] | None = None) -> LesionProposal:
    """Return the most lesion-like region over many thresholds, for methods that start from one.

    Args:
        image: uint8 HW.
        at: Row and column of a point that the region must contain; None for the best region anywhere.
    """
    view = _view(image)
    best, score = np.zeros(view.grey.shape, dtype=np.bool_), 0.0
    for sigma in (2.0, 4.0):
        smooth = view.smooth(sigma)
        for level in np.percentile(smooth, _LEVELS):
            below = (smooth <= level).astype(np.uint8)
            for dark in (below, cv2.morphologyEx(below, cv2.MORPH_OPEN, _ELLIPSE_5)):
                labels = _components(np.asarray(dark, dtype=np.bool_))
                ranked = _ranked(labels, view, better_than=score)
                if at is not None:
                    ranked = [
                        candidate for candidate in ranked if filled(labels == candidate.label)[_at(at, image, labels)]
                    ]
                if ranked and ranked[0].score > score:
                    best, score = filled(labels == ranked[0].label), ranked[0].score
    wide = cv2.resize(best.astype(np.float32), image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return LesionProposal(np.asarray(wide > 0.5, dtype=np.bool_), score)


def _components(dark: Mask) -> NDArray[np.int32]:
    return np.asarray(cv2.connectedComponents(dark.astype(np.uint8), connectivity=4)[1], dtype=np.int32)


def _at(at: tuple[int, int], image: Image, labels: NDArray[np.int32]) -> tuple[int, int]:
    """Return the position of an image's point in the smaller map."""
    row, column = (place * small // large for place, small, large in zip(at, labels.shape, image.shape, strict=True))
    return row, column


def _opened(dark: Mask) -> Mask:
    side = max(3, round(0.06 * max(dark.shape)) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disc), dtype=np.bool_)


def _bounded(score: float) -> float:
    return 0.5 + 0.5 * score / (1 + score)


def _view(image: Image) -> _View:
    grey = shrink(image, WORKING_SIDE).astype(np.float32)
    wide = wide_surroundings(grey)
    smooth = _blurred(grey, 2.0) / wide
    steep = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    slope = np.rint(np.asarray(steep) * 1e5).astype(np.int64)
    return _View(grey, wide, slope, max(float(slope.mean()), 1.0))


def _blurred(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(grey, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32).reshape(grey.shape)


def _ranked(labels: NDArray[np.int32], view: _View, better_than: float = 0.0) -> list[Candidate]:
    """Return the regions whose score is above ``better_than``, the best first."""
    height, width = labels.shape
    sizes = np.bincount(labels.ravel())
    ranked = []
    for label in range(1, len(sizes)):
        if not _LEAST_SHARE <= sizes[label] / labels.size <= _LARGEST_SHARE:
            continue
        region = labels == label
        left, top, columns, rows = cv2.boundingRect(region.view(np.uint8))
        bottom, right = top + rows, left + columns
        # Sums of whole numbers, which do not depend on the order of summation.
        moments = cv2.moments(region[top:bottom, left:right].view(np.uint8), binaryImage=True)
        # Only the region and a ring around it are processed, not the whole image each time.
        reach = max(3, round(0.35 * float(np.sqrt(sizes[label]))))
        box = (
            slice(max(0, top - reach), min(height, bottom + reach)),
            slice(max(0, left - reach), min(width, right + reach)),
        )
        inside = filled(region[box])
        share = float(inside.sum()) / labels.size
        depth = ((moments["m01"] + top * moments["m00"]) / moments["m00"] / height - 0.35) / 0.2
        aside = ((moments["m10"] + left * moments["m00"]) / moments["m00"] / width - 0.5) / 0.25
        borders = (top == 0) + (left == 0) + (bottom == height) + (right == width)
        placed = float(np.exp(-(depth**2) - aside**2 - 0.15 * np.log(share / 0.2) ** 2 - borders))
        steep = (_steepness(view.slope[box], inside) / view.mean_slope) ** 2
        # Darkness and solidity are at most 1, and the most expensive factor is computed last. The margin is for
        # rounding.
        if steep * placed * (1 + 1e-9) <= better_than:
            continue
        score = steep * _darkness(view.grey[box], inside, reach) ** 2 * _solidity(inside) * placed
        if score > better_than:
            ranked.append(Candidate(score, label))
    return sorted(ranked, key=lambda one: -one.score)


def _steepness(slope: NDArray[np.int64], inside: Mask) -> float:
    """Return the mean steepness along the outline."""
    core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outline = inside & ~core
    # A frame around the image, filled, is all of it and has no outline inside.
    return float(slope[outline].mean()) if outline.any() else 0.0


def _darkness(grey: NDArray[np.float32], inside: Mask, reach: int) -> float:
    """Return how much darker a region is than the ring around it, over the ring's grey, 0–1."""
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    ring = (cv2.dilate(inside.astype(np.uint8), ellipse) > 0) & ~inside
    if not ring.any():
        return 0.0
    around = float(grey[ring].mean())
    return max(0.0, around - float(grey[inside].mean())) / max(around, 1.0)


def _solidity(inside: Mask) -> float:
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = float(cv2.contourArea(cv2.convexHull(np.concatenate(outlines)))) if outlines else 0.0
    return min(1.0, float(inside.sum()) / hull) if hull > 0 else 0.0
