"""Precision–recall curve of each class against the rest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.curves import precision_recall_points
from busight.report.figures.case_arrays import NO_POINTS, CaseArrays, case_arrays, classes_with_curve
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import HALF_WIDTH, class_style, new_figure, unit_square
from busight.report.text.sanitise import short_label
from busight.results.records import ResultRecord


def draw_precision_recall(cases: CaseArrays, classes: tuple[str, ...], averages: dict[str, float]) -> Figure:
    """Draw one step curve for each class, and its share of the cases as the level of chance.

    Args:
        cases: The cases.
        classes: K names.
        averages: Average precision by class, for the legend.
    """
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    for k, name in classes_with_curve(classes):
        style = class_style(name, k)
        positive = cases.target == k
        defined = bool(positive.any())
        average = f"AP {averages[name]:.3f}" if defined and name in averages else "undefined"
        points = precision_recall_points(cases.calibrated[:, k], positive)
        x, y = (
            (np.append(0.0, points.recall), np.append(points.precision[0], points.precision))
            if defined
            else (NO_POINTS, NO_POINTS)
        )
        ax.step(
            x,
            y,
            where="pre",
            color=style.colour,
            linestyle=style.line,
            marker=style.marker,
            markevery=0.15,
            markersize=4.5,
            label=f"{short_label(name, 18)}: {average}",
        )
        if defined:
            ax.plot([0, 1], [positive.mean()] * 2, color=style.colour, linewidth=0.8, linestyle=(0, (1, 3)))
    unit_square(ax, "recall (sensitivity)", "precision")
    ax.legend(loc="lower left")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    cases = case_arrays(record)
    averages = {name: record.metrics.get("average_precision", name).value for name in record.classes}
    values = ", ".join(f"{name} {value:.3f}" for name, value in averages.items() if not np.isnan(value))
    return [
        FigureSpec(
            name="precision-recall",
            title="Precision–recall curves",
            caption="Precision of the predictions of a class over the share of its images that are predicted as such. "
            "The thin dotted level of the same colour is chance: it depends on how common the class is, so compare "
            "curves only on the same data.",
            alt=f"Precision–recall curves, one class against the rest. Average precision: {values or 'undefined'}.",
            draw=lambda: draw_precision_recall(cases, record.classes, averages),
            width="half",
        )
    ]
