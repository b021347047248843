"""Comparison of segmenters: lines for a terminal, and the best, median and worst image of each."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.figure import Figure

from busight.experiments.bench.measured import Measured
from busight.experiments.bench.segmenters import SegmenterComparison, SegmenterRow
from busight.io.atomic import written_beside
from busight.report.figures.panels import ANNOTATED_STYLE, PREDICTED_STYLE, outline, outline_legend, show_grey, title
from busight.report.figures.shrink import small_image, small_mask
from busight.report.render.style import FULL_WIDTH, new_figure, styled
from busight.report.text.columns import aligned
from busight.report.text.numbers import interval_text
from busight.report.text.sanitise import short_label

_COLUMNS = {
    ("dice", "lesion images"): "Dice",
    ("iou", "lesion images"): "IoU",
    ("hd95_px", "lesion images"): "HD95 px",
    ("hd95_px_with_misses", "lesion images"): "with misses",
    ("assd_px", "lesion images"): "ASSD px",
    ("lesion_sensitivity", "lesion images"): "lesion sens.",
    ("false_positives_per_image", "images with a known mask"): "FP/image",
    ("specificity_image_level", "normal images"): "image spec.",
}


def write_segmenter_sheet(comparison: SegmenterComparison, path: Path) -> None:
    """Write the best, median and worst image of each segmenter with both outlines, as PNG.

    Raises:
        OutputError: The file cannot be written.
    """
    with styled(), written_beside(path) as beside:
        _sheet(comparison).savefig(beside)


def segmenter_lines(comparison: SegmenterComparison) -> list[str]:
    """Return the table for a terminal: a row per segmenter, the highest Dice first. The CSV has all intervals."""
    header = ("method", f"Dice ({comparison.level:.0%} interval)", *list(_COLUMNS.values())[1:], "ms")
    warnings = [
        f"warning: {row.name} was trained on {row.n_trained_on} of these images; its metrics are too high"
        for row in comparison.rows
        if row.n_trained_on
    ]
    return [
        f"{comparison.images} images in {comparison.groups} groups of {comparison.spec}",
        *aligned([header, *map(_cells, comparison.rows)]),
        *warnings,
    ]


def _cells(row: SegmenterRow) -> tuple[str, ...]:
    dice, *others = (row.metrics[name] for name in _COLUMNS)
    plain = ("–" if math.isnan(metric.value) else f"{metric.value:.3f}" for metric in others)
    return (row.name, _with_interval(dice), *plain, f"{row.milliseconds:.0f}")


def _with_interval(metric: Measured) -> str:
    if math.isnan(metric.value):
        return "–"
    return f"{metric.value:.3f} ({interval_text(metric.low, metric.high)})"


def _sheet(comparison: SegmenterComparison) -> Figure:
    rows = [row for row in comparison.rows if row.shown] or list(comparison.rows)
    figure = new_figure(FULL_WIDTH, 1.75 * len(rows) + 0.5)
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for ax in line[len(row.shown) :]:
            ax.set_visible(False)
        for ax, shown in zip(line, row.shown, strict=False):
            show_grey(ax, small_image(shown.image))
            outline(ax, small_mask(shown.drawn), ANNOTATED_STYLE)
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
