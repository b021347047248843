"""Elements of image figures: a grey image, an outline, a bounding box, probability bars, a grid of panels."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from busight.data.shrink import shrink
from busight.report.render.style import FULL_WIDTH, INK, WRONG, class_style, new_figure
from busight.report.text.sanitise import short_label
from busight.results.case import StageImages
from busight.results.records import ModelRecord, ResultRecord
from busight.types import Image, Mask, Roi

LARGEST_SHOWN = 1440
"""Pixels of the longer side that are drawn: more than a panel shows. Matplotlib takes 30 times an image's bytes."""

Dashes = tuple[float, tuple[float, ...]]

ANNOTATED_STYLE: tuple[str, Dashes] = ("#ffffff", (0, ()))
PREDICTED_STYLE: tuple[str, Dashes] = ("#ffd23f", (0, (3, 1.6)))
PROPOSAL_STYLE: tuple[str, Dashes] = ("#7fd4ff", (0, (1, 1.2)))
"""Colour and line of outlines. The dark casing below them keeps them visible on bright tissue and in grey print."""
_CASING = [withStroke(linewidth=2.6, foreground="#10151a")]


def show_grey(ax: Axes, image: Image) -> None:
    """Show a grey image, uint8 HW, on bare axes, black at 0 and white at 255."""
    shown = shrink(image, LARGEST_SHOWN)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="antialiased", extent=extent_of(image))
    bare(ax)


def extent_of(image: NDArray[np.generic]) -> tuple[float, float, float, float]:
    """Return the place of an image on axes in its own pixels, whatever size is drawn."""
    height, width = image.shape[:2]
    return -0.5, width - 0.5, height - 0.5, -0.5


def bare(ax: Axes) -> None:
    """Remove ticks, grid and frame."""
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def outline(ax: Axes, mask: Mask | None, style: tuple[str, Dashes]) -> None:
    """Draw the border of a mask, bool HW; nothing where it is None or empty."""
    if mask is None or not mask.any():
        return
    # One row of background all around closes outlines that touch the edge of the image.
    padded = np.pad(mask, 1).astype(np.float64)
    height, width = padded.shape
    lines = ax.contour(np.arange(-1, width - 1), np.arange(-1, height - 1), padded, [0.5], colors=[style[0]])
    lines.set(linewidth=1.3, linestyle=[style[1]], path_effects=_CASING)
    ax.set(xlim=(-0.5, width - 2.5), ylim=(height - 2.5, -0.5))


def box(ax: Axes, roi: Roi) -> None:
    """Draw the region of interest as a thin dotted rectangle."""
    corner = (roi.left - 0.5, roi.top - 0.5)
    ax.add_patch(Rectangle(corner, roi.width, roi.height, fill=False, edgecolor="white", linestyle=":", linewidth=1.1))


def outline_legend(figure: Figure) -> None:
    """Draw the legend of the two outlines below the panels."""
    handles = [
        Line2D([], [], color=colour, linestyle=line, path_effects=_CASING, label=label)
        for (colour, line), label in ((ANNOTATED_STYLE, "annotated"), (PREDICTED_STYLE, "predicted"))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=3.2)


def probability_bars(
    ax: Axes, classes: Sequence[str], probs: Sequence[float], marks: Sequence[str], bold: Collection[str]
) -> None:
    """Draw a bar per class, with its name, a mark in brackets and its value above the bar."""
    ax.spines["bottom"].set_visible(True)
    for k, (name, value, mark) in enumerate(zip(classes, probs, marks, strict=True)):
        style = class_style(name, k)
        ax.barh(k, value, 0.42, color=style.colour, hatch=style.hatch, edgecolor="white")
        label = f"{short_label(name, 14)} ({mark})" if mark else short_label(name, 14)
        ax.text(0, k - 0.29, label, va="bottom", fontsize=8, weight="bold" if name in bold else "normal")
        ax.text(1, k - 0.29, f"{value:.2f}", va="bottom", ha="right", fontsize=8)
    ax.set(xlim=(0, 1), ylim=(len(classes) - 0.5, -0.75), xticks=(0, 0.5, 1), yticks=())


def panel_grid(
    count: int, columns: int, panel_height: float = 1.75, width: float = FULL_WIDTH
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` bare axes in rows of ``columns``.

    Args:
        count: Panels, at least 1.
        columns: Panels in a row; fewer where there are fewer panels.
        panel_height: Inches of one row with its title.
        width: Inches of the figure.
    """
    rows = math.ceil(count / columns)
    figure = new_figure(width, rows * panel_height + 0.35)
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for ax in axes:
        bare(ax)
        ax.set_anchor("NW")
    return figure, axes


def mark_wrong(ax: Axes) -> None:
    """Frame a panel and write a cross into its corner, so that an error shows in grey print too."""
    ax.spines[:].set_visible(True)
    ax.spines[:].set(color=WRONG, linewidth=3)
    ax.text(
        0.97,
        0.95,
        "✗ wrong",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=8,
        weight="bold",
        color="white",
        bbox={"facecolor": WRONG, "edgecolor": "none", "boxstyle": "round,pad=0.25"},
    )


def shown_cases(record: ResultRecord, limit: int) -> list[StageImages]:
    """Return example cases and more cases without repeats, ordered by class, at most ``limit``; none of folds."""
    if not isinstance(record, ModelRecord):
        return []
    by_id = {stages.case.sample_id: stages for stages in (*record.example_cases, *record.more_cases)}
    chosen = list(by_id.values())[:limit]
    return sorted(chosen, key=lambda stages: record.classes.index(stages.case.target))


def title(ax: Axes, lines: Sequence[str], weight: str = "normal") -> None:
    """Write a small left-aligned title of up to three lines."""
    ax.set_title("\n".join(lines), fontsize=7.5, color=INK, weight=weight, loc="left", pad=3)
