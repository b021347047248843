"""Copies side by side: one image, the other, and what differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from busight.audit.duplicates.alignment import align, laid_upon
from busight.audit.duplicates.near_duplicates import mirrored
from busight.data.thumbnail import SIDE, small_picture
from busight.experiments.audit import CopyPair
from busight.report.figures.panels import bare, panel_grid, show_grey, title
from busight.report.figures.shrink import small_image
from busight.report.render.style import SEQUENTIAL
from busight.report.text.labels import short_label
from busight.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class PicturedPair:
    """A pair of copies with their images, uint8 HW each."""

    pair: CopyPair
    first: Image
    second: Image


def draw_copy_pairs(pairs: Sequence[PicturedPair]) -> Figure:
    """Draw a row for each pair: the first (mirrored to lie upon the second), the second, and the difference."""
    figure, axes = panel_grid(3 * len(pairs), 3, panel_height=2.1)
    for number, one in enumerate(pairs):
        left, middle, right = axes[3 * number : 3 * number + 3]
        second = small_image(one.second)
        first = small_image(mirrored(one.first, one.pair.mirrored))
        show_grey(left, first)
        show_grey(middle, second)
        difference = _difference(first, second)
        right.imshow(difference, cmap=SEQUENTIAL, vmin=0, vmax=128)
        bare(right)
        turned = "" if one.pair.mirrored == "upright" else f" ({one.pair.mirrored})"
        title(left, [one.pair.labels[0] or "no label", short_label(one.pair.first + turned, 30)])
        title(middle, [one.pair.labels[1] or "no label", short_label(one.pair.second, 30)])
        title(right, [one.pair.kind, f"correlation {one.pair.correlation:.3f}"])
    return figure


def _difference(first: Image, second: Image) -> NDArray[np.float32]:
    """Return |first − second|, the first laid upon the second and brought to its grey values.

    NaN is where only one of them has pixels. Copies differ in gain too, which is no other picture: a straight line
    through the grey values takes it out.
    """
    found = align(small_picture(first), small_picture(second))
    laid = laid_upon(first, second, found, SIDE).astype(np.float32)
    inside = laid_upon(np.full_like(first, 255), second, found, SIDE) > 250
    slope, shift = 1.0, 0.0
    if laid[inside].size and laid[inside].std() > 0:
        slope, shift = np.polyfit(laid[inside], second[inside], 1)
    difference = np.asarray(np.abs(slope * laid + shift - second), dtype=np.float32)
    return np.where(inside, difference, np.float32(np.nan))
