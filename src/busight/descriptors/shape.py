"""Features of a lesion's outline: size, orientation and roughness."""

from __future__ import annotations

import cv2
import numpy as np

from busight.descriptors.lesion_view import LesionView
from busight.types import FloatArray

_ANGLES = 360
_POINTS = 256


def shape_features(view: LesionView) -> dict[str, float]:
    """Return the features of shape, orientation and the outline's part of margin.

    Lengths are of the ellipse with the lesion's second moments; waves are those of the outline's distance from the
    centre once that ellipse is made a circle, as a share of its radius: slow ones (2–7 around) are shape, faster ones
    margin.
    Turns are the bends of the smoothed outline over a 21st of its length, in radians.
    """
    # Not scikit-image's regionprops: prediction works without it, and its solidity, 1 to 6 % less, is not the one that
    # the lexicon model was fitted on.
    rows, columns = np.nonzero(view.mask)
    spread = np.cov(np.stack([columns, rows]))
    power, axes = np.linalg.eigh(spread)
    points = _contour(view)
    centre = np.array([columns.mean(), rows.mean()])
    waves = _waves(((points - centre) @ axes) / (2 * np.sqrt(power)))
    turns = _turns(points)
    lean = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    area, hull = float(view.mask.sum()), cv2.convexHull(points.astype(np.float32)[:, None])
    length = float(cv2.arcLength(points.astype(np.float32)[:, None], True))
    bends = np.sign(np.where(np.abs(turns) < 0.05, 0, turns))
    bends = bends[bends != 0]
    return {
        "elongation": float(np.sqrt(power[1] / power[0])),
        "depth-to-width ratio": (np.ptp(rows) + 1) / (np.ptp(columns) + 1),
        "depth-to-width ratio of the ellipse": float(np.sqrt(spread[1, 1] / spread[0, 0])),
        "orientation of the major axis": float(abs((lean + 90) % 180 - 90)),
        "area fraction": area / view.mask.size,
        "circularity": 4 * np.pi * area / length**2,
        "solidity": area / max(float(cv2.contourArea(hull)), 1.0),
        "convexity": float(cv2.arcLength(hull, True)) / length,
        "area fraction after a wide opening": _opened(view, 0.5),
        "area fraction after an opening": _opened(view, 0.25),
        "Fourier descriptors 2 to 7": float(np.sqrt((waves[2:8] ** 2).sum())),
        "Fourier descriptors 3 to 5": float(np.sqrt((waves[3:6] ** 2).sum())),
        "Fourier descriptor 2": float(waves[2]),
        "Fourier descriptors 8 to 15": float(np.sqrt((waves[8:16] ** 2).sum())),
        "Fourier descriptors from 16": float(np.sqrt((waves[16:60] ** 2).sum())),
        "curvature, 98 %": float(np.quantile(turns, 0.98)),
        "standard deviation of the curvature": float(turns.std()),
        "concave fraction": float((turns < -0.1).mean()),
        "sharply curved fraction": float((turns > 0.6).mean()),
        "straight fraction": float((np.abs(turns) < 0.06).mean()),
        "kurtosis of the curvature": float(((turns - turns.mean()) ** 4).mean() / (turns.std() ** 4 + 1e-9)),
        "inflection points": float((np.diff(bends) != 0).sum()) if len(bends) else 0.0,
    }


def _contour(view: LesionView) -> FloatArray:
    """Return the outline as points, float64 (N, 2), column and row."""
    contours, _ = cv2.findContours(view.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(contours, key=len)[:, 0, :], np.float64)


def _waves(points: FloatArray) -> FloatArray:
    """Return the amplitude of each wave of the distance from the centre around the outline."""
    angle, reach = np.arctan2(points[:, 1], points[:, 0]), np.hypot(points[:, 0], points[:, 1])
    order = np.argsort(angle)
    even = np.linspace(-np.pi, np.pi, _ANGLES, endpoint=False)
    around = np.interp(even, angle[order], reach[order], period=2 * np.pi)
    return np.asarray(np.abs(np.fft.rfft(around)) / (_ANGLES / 2))


def _turns(points: FloatArray, step: int = 6) -> FloatArray:
    """Return how the smoothed outline turns at evenly spaced points, radians, positive where it bulges."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    even = np.linspace(0, along[-1], _POINTS, endpoint=False)
    placed = np.stack([np.interp(even, along, closed[:, axis]) for axis in (0, 1)], axis=1)
    wide = np.concatenate([placed[-8:], placed, placed[:8]])
    smooth = np.stack([np.convolve(wide[:, axis], np.ones(5) / 5, "same")[8:-8] for axis in (0, 1)], axis=1)
    before, after = smooth - np.roll(smooth, step, axis=0), np.roll(smooth, -step, axis=0) - smooth
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns = np.arctan2(cross, (before * after).sum(axis=1))
    return np.asarray(turns if turns.sum() >= 0 else -turns)


def _opened(view: LesionView, share: float) -> float:
    """Return the share of the area that an opening with a disc of this share of the radius leaves."""
    reach = max(1, round(share * view.radius))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # The lesion alone: what lies around it is empty, and an opening adds nothing.
    region = view.mask[np.ix_(view.mask.any(axis=1), view.mask.any(axis=0))]
    wide = np.pad(region.astype(np.uint8), reach + 2)
    return float(cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc).sum()) / float(view.mask.sum())
