"""Classification report as a heat map: one row per class, one column per metric."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.table import MetricTable
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import FULL_WIDTH, SEQUENTIAL, new_figure, text_on
from busight.report.text.sanitise import short_label
from busight.results.records import ResultRecord

_COLUMNS = (("precision", "precision"), ("sensitivity", "recall\n(sensitivity)"), ("f1", "F1"))


def draw_classification_report(table: MetricTable) -> Figure:
    """Draw precision, recall and F1 of each class and their averages; undefined cells stay white with a dash."""
    rows = [*table.classes, *(of for of in ("macro", "weighted") if table.find("f1", of))]
    estimates = [[table.find(metric, of) for metric, _ in _COLUMNS] for of in rows]
    values = np.array([[estimate.value if estimate else np.nan for estimate in row] for row in estimates])
    figure = new_figure(FULL_WIDTH, 0.9 + 0.42 * len(rows))
    ax = figure.add_subplot()
    drawn = ax.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:.3f}"
        ax.text(column, row, text, ha="center", va="center", color=text_on(float(np.nan_to_num(value))))
    support = dict(zip(table.classes, table.support, strict=True))
    ax.set_xticks(range(len(_COLUMNS)), [label for _, label in _COLUMNS])
    ax.set_yticks(range(len(rows)), [f"{short_label(of, 20)} (n = {support.get(of, table.n_images)})" for of in rows])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.axhline(len(table.classes) - 0.5, color="white", linewidth=4)
    figure.colorbar(drawn, ax=ax, label="metric", fraction=0.04, pad=0.02)
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    table = record.metrics
    values_text = (
        f"{name}: {label.split()[0]} {estimate.value:.3f}"
        for name in table.classes
        for metric, label in _COLUMNS
        if (estimate := table.find(metric, name)) and not np.isnan(estimate.value)
    )
    return [
        FigureSpec(
            name="classification-report",
            title="Classification report",
            caption="Darker is better. Precision is the share of the predictions of a class that are right, recall the "
            "share of its images that are predicted as such. Macro is the mean over classes, weighted over images.",
            alt=f"Heat map of metrics. {'; '.join(values_text)}.",
            draw=lambda: draw_classification_report(table),
        )
    ]
