"""Near-duplicates side by side, with their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from busight.audit.duplicates.alignment import align, warp_to
from busight.audit.duplicates.near_duplicates import mirrored
from busight.data.thumbnail import SIDE, make_thumbnail
from busight.report.figures.panels import bare, panel_grid, show_grey, title
from busight.report.figures.shrink import small_image
from busight.report.render.style import SEQUENTIAL
from busight.report.text.sanitise import short_label
from busight.results.audit_record import DuplicatePair
from busight.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class PairImages:
    """A near-duplicate pair with its images, uint8 HW each."""

    pair: DuplicatePair
    first: Image
    second: Image


def draw_duplicate_pairs(pairs: Sequence[PairImages]) -> Figure:
    """Draw a row for each pair: the first (mirrored to match the second), the second, and the difference."""
    figure, axes = panel_grid(3 * len(pairs), 3, panel_height=2.1)
    for number, pair_images in enumerate(pairs):
        pair = pair_images.pair
        left, middle, right = axes[3 * number : 3 * number + 3]
        second = small_image(pair_images.second)
        first = small_image(mirrored(pair_images.first, pair.mirrored))
        show_grey(left, first)
        show_grey(middle, second)
        difference = _difference(first, second)
        right.imshow(difference, cmap=SEQUENTIAL, vmin=0, vmax=128)
        bare(right)
        orientation = "" if pair.mirrored == "upright" else f" ({pair.mirrored})"
        title(left, [pair.labels[0] or "no label", short_label(pair.first + orientation, 30)])
        title(middle, [pair.labels[1] or "no label", short_label(pair.second, 30)])
        title(right, [pair.kind, f"correlation {pair.correlation:.3f}"])
    return figure


def _difference(first: Image, second: Image) -> NDArray[np.float32]:
    """Return |first − second|, the first aligned to the second in position and grey values.

    NaN is where only one of them has pixels. Near-duplicates may differ in gain: a linear fit of the grey values
    removes it.
    """
    alignment = align(make_thumbnail(first), make_thumbnail(second))
    aligned = warp_to(first, second, alignment, SIDE).astype(np.float32)
    inside = warp_to(np.full_like(first, 255), second, alignment, SIDE) > 250
    slope, shift = 1.0, 0.0
    if aligned[inside].size and aligned[inside].std() > 0:
        slope, shift = np.polyfit(aligned[inside], second[inside], 1)
    difference = np.asarray(np.abs(slope * aligned + shift - second), dtype=np.float32)
    return np.where(inside, difference, np.float32(np.nan))
