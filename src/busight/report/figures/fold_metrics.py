"""Metrics of every fold as points, with the metric over all of them and its interval."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from busight.report.blocks.metric_tables import metric_label
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, new_figure
from busight.report.text.headline import headline_names
from busight.results.records import CrossValidationRecord, ResultRecord


def draw_fold_metrics(record: CrossValidationRecord) -> Figure:
    """Draw one row per metric: a point for each fold, a bar for the interval of the metric over all folds."""
    rows = [(metric, of) for metric, of in headline_names(record.metrics) if record.metrics.find(metric, of)]
    figure = new_figure(FULL_WIDTH, 0.9 + 0.45 * len(rows))
    ax = figure.add_subplot()
    for place, (metric, of) in enumerate(rows):
        values = [estimate.value for fold in record.folds if (estimate := fold.metrics.find(metric, of))]
        # Spread evenly within the row, fold after fold, so that equal values do not hide one another.
        spread = place + np.linspace(-0.18, 0.18, len(values))
        ax.plot(values, spread, "o", color=MUTED, markersize=4, markerfacecolor="none", zorder=2)
        overall = record.metrics.find(metric, of)
        if overall is None or math.isnan(overall.value):
            continue
        ax.plot([overall.low, overall.high], [place, place], color=ACCENT, linewidth=5, alpha=0.35, zorder=1)
        ax.plot(overall.value, place, "D", color=ACCENT, markersize=6, zorder=3)
        ax.text(1.02, place, f"{overall.value:.3f}", va="center", color=INK, transform=ax.get_yaxis_transform())
    ax.set_yticks(range(len(rows)), [metric_label(metric, of) for metric, of in rows])
    ax.invert_yaxis()
    ax.set_xlim(right=1.01)
    ax.set_xlabel("metric")
    ax.grid(visible=False, axis="y")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec, or none where nothing was cross-validated."""
    if not isinstance(record, CrossValidationRecord):
        return []
    accuracy = [fold.metrics.get("accuracy").value for fold in record.folds]
    return [
        FigureSpec(
            name="fold-metrics",
            title="Fold by fold",
            caption="Circles are single folds, the diamond is the metric over all images, the bar its interval. The "
            "scatter of the folds shows how far one single split can be off.",
            alt=f"Metrics of {len(record.folds)} folds; accuracy from {min(accuracy):.3f} to {max(accuracy):.3f}.",
            draw=lambda: draw_fold_metrics(record),
        )
    ]
