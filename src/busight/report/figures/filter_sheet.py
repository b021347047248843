"""Figures of filters: before, after and difference of one image, and one image under many filters."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from busight.experiments.bench.filters import MEASURES, FilterComparison, FilterRow
from busight.io.atomic import written_beside
from busight.report.figures.panels import show_grey
from busight.report.figures.shrink import small_image
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, new_figure, styled
from busight.report.text.columns import aligned
from busight.report.text.numbers import interval_text
from busight.types import Image

_COLUMNS = 5


def write_panel(before: Image, after: Image, chain: str, path: Path) -> None:
    """Write before, after and difference side by side, each with its histogram, as PNG.

    Args:
        before: uint8 HW.
        after: uint8 HW of the same size.
        chain: The chain, for the heading.
        path: Ends in .png.

    Raises:
        OutputError: The file cannot be written.
    """
    with styled(), written_beside(path) as beside:
        _panel(before, after, chain).savefig(beside)


def write_filter_sheet(comparison: FilterComparison, path: Path) -> None:
    """Write the example of a comparison under every chain, with the generalised CNR of the set below each.

    Raises:
        OutputError: The file cannot be written.
    """
    with styled(), written_beside(path) as beside:
        _sheet(comparison).savefig(beside)


def comparison_lines(comparison: FilterComparison) -> list[str]:
    """Return the table for a terminal: a row per chain, the metrics without intervals, which the CSV has."""
    header = ("chain", *MEASURES.values(), "ms")
    return [
        f"{comparison.images} images in {comparison.groups} groups of {comparison.spec}; means over the images that "
        "define a metric",
        *aligned([header, *map(_cells, comparison.rows)]),
    ]


def _cells(row: FilterRow) -> tuple[str, ...]:
    values = (row.measures[key].value for key in MEASURES)
    return (row.chain, *("–" if math.isnan(value) else f"{value:.3f}" for value in values), f"{row.milliseconds:.1f}")


def _panel(before: Image, after: Image, chain: str) -> Figure:
    ratio = before.shape[0] / before.shape[1]
    figure = new_figure(FULL_WIDTH + 1.6, 0.9 + 2.9 * min(max(ratio, 0.4), 1.6) + 1.3)
    figure.suptitle(chain, x=0.01, ha="left", color=INK, fontsize=9)
    axes = figure.subplots(2, 3, height_ratios=(3 * min(max(ratio, 0.4), 1.6), 1))
    show_grey(axes[0, 0], small_image(before))
    show_grey(axes[0, 1], small_image(after))
    difference: NDArray[np.int16] = np.subtract(after, before, dtype=np.int16)
    _show_difference(figure, axes[0, 2], small_image(difference))
    for ax, name in zip(axes[0], ("before", "after", "after less before"), strict=True):
        ax.set_title(name)
    _histogram(axes[1, 0], before)
    _histogram(axes[1, 1], after)
    # Counted by OpenCV, which makes no copy of wider numbers: an image may have 16 megapixels.
    counts = cv2.calcHist([(difference + 255).astype(np.uint16)], [0], None, [511], [0, 511]).ravel()
    axes[1, 2].stairs(counts, np.arange(-255.5, 256), color=MUTED, fill=True)
    axes[1, 2].set(xlabel="grey difference", yticks=[], xlim=_reach(difference))
    return figure


def _show_difference(figure: Figure, ax: Axes, difference: np.ndarray) -> None:
    reach = max(1, int(difference.max()), -int(difference.min()))
    drawn = ax.imshow(difference, cmap="PuOr", norm=TwoSlopeNorm(0, -reach, reach), interpolation="antialiased")
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    figure.colorbar(drawn, ax=ax, shrink=0.8, label="grey values")


def _reach(difference: np.ndarray) -> tuple[float, float]:
    reach = max(2.0, float(difference.max()), -float(difference.min()))
    return -reach, reach


def _histogram(ax: Axes, image: Image) -> None:
    ax.stairs(cv2.calcHist([image], [0], None, [256], [0, 256]).ravel(), np.arange(-0.5, 256), color=ACCENT, fill=True)
    ax.set(xlabel="grey value", yticks=[], xlim=(-1, 256))


def _sheet(comparison: FilterComparison) -> Figure:
    count = len(comparison.rows)
    lines = math.ceil(count / _COLUMNS)
    figure = new_figure(FULL_WIDTH + 2, 2.25 * lines)
    axes = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    for ax, row, image in zip(axes, comparison.rows, comparison.shown, strict=False):
        show_grey(ax, small_image(image))
        contrast = row.measures["gcnr"]
        contrast_text = (
            ""
            if math.isnan(contrast.value)
            else f"\ngCNR {contrast.value:.2f} ({interval_text(contrast.low, contrast.high, '.2f')})"
        )
        ax.set_title(f"{row.chain.partition('(')[0] or row.chain}{contrast_text}", fontsize=7.5)
    return figure
