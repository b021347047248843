"""Ways to outline lesions, compared: lines for a terminal, and each way's best, median and worst image."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.figure import Figure

from busight.experiments.bench.measured import Measured
from busight.experiments.bench.segmenters import MethodComparison, MethodRow
from busight.io.atomic import written_beside
from busight.report.figures.panels import DRAWN_STYLE, PREDICTED_STYLE, outline, outline_legend, show_grey, title
from busight.report.figures.shrink import small_image, small_mask
from busight.report.render.style import FULL_WIDTH, new_figure, styled
from busight.report.text.labels import aligned, short_label

_COLUMNS = {
    ("dice", "lesion images"): "Dice",
    ("iou", "lesion images"): "IoU",
    ("hausdorff_95_px", "lesion images"): "HD95 px",
    ("surface_distance_px", "lesion images"): "ASD px",
    ("lesion_sensitivity", "lesion images"): "found",
    ("false_marks", "images with a known mask"): "false marks",
    ("unmarked", "normal images"): "clean normals",
}


def write_method_sheet(found: MethodComparison, path: Path) -> None:
    """Write each way's best, median and worst image with both outlines, as PNG.

    Raises:
        OutputError: It cannot be written.
    """
    with styled(), written_beside(path) as beside:
        _sheet(found).savefig(beside)


def method_lines(found: MethodComparison) -> list[str]:
    """Return the table for a terminal: a row a way, the highest Dice first; all figures' intervals stand in the CSV."""
    header = ("method", f"Dice ({found.level:.0%} interval)", *list(_COLUMNS.values())[1:], "ms")
    warnings = [
        f"warning: {row.name} was trained on {row.seen} of these images; its figures flatter it"
        for row in found.rows
        if row.seen
    ]
    return [
        f"{found.images} images in {found.groups} groups of {found.spec}",
        *aligned([header, *map(_cells, found.rows)]),
        *warnings,
    ]


def _cells(row: MethodRow) -> tuple[str, ...]:
    figures = [row.figures[key] for key in _COLUMNS]
    plain = ("–" if math.isnan(one.value) else f"{one.value:.3f}" for one in figures[1:])
    return (row.name, _with_interval(figures[0]), *plain, f"{row.milliseconds:.0f}")


def _with_interval(one: Measured) -> str:
    if math.isnan(one.value):
        return "–"
    return f"{one.value:.3f}" if math.isnan(one.low) else f"{one.value:.3f} ({one.low:.3f}–{one.high:.3f})"


def _sheet(found: MethodComparison) -> Figure:
    rows = [row for row in found.rows if row.shown] or list(found.rows)
    figure = new_figure(FULL_WIDTH, 1.75 * len(rows) + 0.5)
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for ax in line[len(row.shown) :]:
            ax.set_visible(False)
        for ax, shown in zip(line, row.shown, strict=False):
            show_grey(ax, small_image(shown.image))
            outline(ax, small_mask(shown.drawn), DRAWN_STYLE)
            outline(ax, small_mask(shown.outlined.mask), PREDICTED_STYLE)
            title(
                ax,
                [
                    f"{short_label(row.name, 24)}, {shown.rank}: Dice {shown.dice:.2f}",
                    short_label(shown.sample.sample_id, 28),
                ],
            )
    outline_legend(figure)
    return figure
