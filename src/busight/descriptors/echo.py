"""Features of the echo pattern: brightness of a lesion against the surrounding tissue, and its texture."""

from __future__ import annotations

import numpy as np

from busight.descriptors.lesion_view import LesionView
from busight.types import FloatArray, Mask

_FINE, _COARSE = 2.5, 6.0
"""Deviations in pixels, about 0.4 and 1 mm: speckle, and the lesion's own pattern."""


def echo_features(view: LesionView) -> dict[str, float]:
    """Return the features of the echo pattern; grey values are shares of 255.

    "Around" is the tissue beside the lesion at its own depth, five pixels away from it and more, smoothed over 1 mm;
    its lower quartile represents fat, the reference of BI-RADS.
    """
    fine, coarse = view.smooth(_FINE), view.smooth(_COARSE)
    core = view.inside > max(2.0, 0.2 * view.radius)
    core = core if core.sum() >= 20 else view.mask
    around = coarse[_beside(view)]
    within, pattern = fine[core], coarse[core]
    middle = float(np.median(pattern))
    spread = float(within.std())
    centred = within - within.mean()
    skew, peak = (float((centred**n).mean()) / (spread**n + 1e-9) for n in (3, 4))
    ring = (view.inside < -0.15 * view.radius) & (view.inside > -0.7 * view.radius)
    inner, outer = float(view.grey[core].mean()), float(view.grey[ring].mean()) if ring.any() else middle
    near = view.smooth(max(1.0, 0.06 * view.radius))[core]
    features = {
        "grey inside": inner,
        "grey in a ring": outer,
        "inside less ring": inner - outer,
        "spread of grey inside": float(view.grey[core].std()),
        "spread of the smoothed inside": float(near.std()),
        "smoothed inside, 10 %": float(np.quantile(near, 0.1)),
        "smoothed inside, 90 %": float(np.quantile(near, 0.9)),
        "spread over 1 mm": float(pattern.std()),
        "spread over 0.4 mm": spread,
        "range over 1 mm": float(np.quantile(pattern, 0.9) - np.quantile(pattern, 0.1)),
        "speckle": float(np.sqrt(((view.grey - fine)[core] ** 2).mean())),
        "inside less fat": middle - float(np.quantile(around, 0.25)),
        "inside less darkest around": middle - float(np.quantile(around, 0.1)),
        "inside less around": middle - float(np.quantile(around, 0.5)),
        "darkest of the image": float(np.quantile(coarse[_outside(view)], 0.05)),
    }
    features |= {f"around, {q} %": float(np.quantile(around, q / 100)) for q in (10, 25, 50, 75)}
    features |= {f"inside, {q} %": float(np.quantile(within, q / 100)) for q in (2, 10, 25, 50, 75, 90, 98)}
    shares = {
        "inside over ring": (inner + 5) / (outer + 5),
        "variation of the inside": float(near.std() / (near.mean() + 5)),
        "nearly black fraction": float((near < 12).mean()),
        "fraction much darker than around": float((within < 0.35 * np.median(around)).mean()),
        "bimodality coefficient": (skew**2 + 1) / max(peak, 1e-9) if spread > 1e-6 else 0.0,
    }
    return {name: value / 255 for name, value in features.items()} | shares


def _beside(view: LesionView) -> FloatArray:
    """Return the pixels beside the lesion, in its rows and half a radius above; all outside it where these are few."""
    rows = np.flatnonzero(view.mask.any(axis=1))
    band = np.zeros_like(view.mask)
    band[max(0, rows[0] - int(0.5 * view.radius)) : rows[-1] + 1] = True
    outside = _outside(view)
    chosen = band & outside
    return np.asarray(chosen if chosen.sum() > 50 else outside)


def _outside(view: LesionView) -> Mask:
    """Return the pixels five and more away from the lesion; all pixels outside where a mask leaves no such pixel."""
    far = view.inside < -5
    return np.asarray(far if far.any() else ~view.mask)
