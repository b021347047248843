"""Features of a lesion's margin: how abruptly the grey value changes there."""

from __future__ import annotations

import cv2
import numpy as np

from busight.descriptors.lesion_view import LesionView
from busight.types import FloatArray


def margin_features(view: LesionView) -> dict[str, float]:
    """Return the features of the margin: circumscribed or indistinct.

    A step is the change of the mean grey over one pixel of distance from the outline, the largest within eight pixels,
    over the change between its ends.
    """
    profile = np.array([_band(view, low, low + 1) for low in range(-8, 8)])
    steps = np.diff(profile)
    whole = _known_mean(profile[-4:]) - _known_mean(profile[:4])
    known = steps[~np.isnan(steps)]
    largest = float((known if not whole < 0 else -known).max()) if len(known) else float("nan")
    near, far = _band(view, 1, 3) - _band(view, -3, -1), _band(view, 4, 8) - _band(view, -8, -4)
    smooth = view.smooth(1.5)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_64F, 1, 0), cv2.Sobel(smooth, cv2.CV_64F, 0, 1))
    around = np.abs(view.inside)
    features = {
        "largest step at the edge": largest / (abs(whole) + 8),
        "near over far contrast of the edge": abs(near) / (abs(far) + 10),
        "slope at the edge over slope around": float(slope[around <= 1.5].mean() / (slope[around < 12].mean() + 1)),
        "bright seam outside": (_band(view, -5, -2) - _band(view, -14, -9)) / 255,
    }
    return {name: 0.0 if value != value else value for name, value in features.items()}


def _known_mean(values: FloatArray) -> float:
    """Return the mean of the finite values; NaN where a lesion is too thin, or too near the border, for any of them."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _band(view: LesionView, low: float, high: float) -> float:
    """Return the mean grey at distances from the outline above ``low`` up to ``high``; NaN where there are none."""
    band = (view.inside > low) & (view.inside <= high)
    return float(view.grey[band].mean()) if band.any() else float("nan")
