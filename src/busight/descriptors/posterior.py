"""Posterior features: whether the tissue behind a lesion is brighter or darker than beside it at the same depth."""

from __future__ import annotations

import numpy as np

from busight.descriptors.lesion_view import LesionView
from busight.types import FloatArray

_GAP = 5
"""Pixels left out at the lesion's edge, about 0.8 mm."""


def posterior_features(view: LesionView) -> dict[str, float]:
    """Return the posterior features.

    Below each column of the lesion but its outer tenths, the mean grey over a lesion's radius of depth is compared with
    that on both sides at the same depth: as a difference (share of 255) and as a logarithm of the ratio. A side is two
    fifths of the columns. All are NaN where less than half of the columns have anything behind them in the image.
    """
    smooth = view.smooth(2.5)
    columns = np.flatnonzero(view.mask.any(axis=0))
    cut = int(0.1 * len(columns))
    chosen = columns[cut : len(columns) - cut]
    last = view.mask.shape[0] - 1 - view.mask[::-1].argmax(axis=0)
    reach = int(max(6, min(view.radius, 37)))
    side = int(1.2 * view.radius) + 1
    pairs = [
        _compared(smooth, int(x), int(last[x]), (int(columns[0]), int(columns[-1]) + 1), reach, side) for x in chosen
    ]
    visible = np.array([pair for pair in pairs if pair is not None])
    if 2 * len(visible) < len(pairs):
        return dict.fromkeys(_NAMES, float("nan"))
    difference, ratio = (visible[:, 0] - visible[:, 1]) / 255, np.log((visible[:, 0] + 4) / (visible[:, 1] + 4))
    return dict(zip(_NAMES, [*_summary(difference), *_summary(ratio)], strict=True))


_NAMES = tuple(
    f"behind: {what}{unit}"
    for unit in ("", ", ratio")
    for what in ("mean", "middle", "darkest fifth", "brightest fifth", "darker side", "brighter side", "between sides")
)


def _compared(
    smooth: FloatArray, column: int, bottom: int, extent: tuple[int, int], reach: int, side: int
) -> tuple[float, float] | None:
    """Return the grey behind a column of the lesion and beside it; None where the image ends."""
    rows = slice(bottom + _GAP, bottom + _GAP + reach)
    behind = smooth[rows, column]
    if len(behind) < 4:
        return None
    left, right = extent
    sides = [
        smooth[rows, max(0, left - _GAP - side) : max(0, left - _GAP)],
        smooth[rows, right + _GAP : right + _GAP + side],
    ]
    means = [float(one.mean()) for one in sides if one.size > 10]
    return (float(behind.mean()), float(np.mean(means))) if means else None


def _summary(values: FloatArray) -> list[float]:
    fifths = [float(part.mean()) if len(part) else float(values.mean()) for part in np.array_split(values, 5)]
    left, right = float(np.mean(fifths[:2])), float(np.mean(fifths[3:]))
    return [
        float(values.mean()),
        fifths[2],
        min(fifths),
        max(fifths),
        min(left, right),
        max(left, right),
        abs(left - right),
    ]
