"""Copies side by side: one image, the other, and what differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.figure import Figure

from busight.data.audit.copies import mirrored
from busight.pipeline.audit import CopyPair
from busight.report.figures.panels import bare, panel_grid, show_grey, title
from busight.report.labels import short_label
from busight.report.shrink import small_image
from busight.report.style import SEQUENTIAL
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
        same_size = np.asarray(cv2.resize(first, (second.shape[1], second.shape[0]), interpolation=cv2.INTER_AREA))
        difference = np.abs(same_size.astype(np.int16) - second.astype(np.int16))
        right.imshow(difference, cmap=SEQUENTIAL, vmin=0, vmax=128)
        bare(right)
        turned = "" if one.pair.mirrored == "upright" else f" ({one.pair.mirrored})"
        title(left, [one.pair.labels[0] or "no label", short_label(one.pair.first + turned, 30)])
        title(middle, [one.pair.labels[1] or "no label", short_label(one.pair.second, 30)])
        title(right, [one.pair.kind, f"correlation {one.pair.correlation:.3f}"])
    return figure
