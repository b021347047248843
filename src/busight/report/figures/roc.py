"""ROC curve of each class against the rest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.curves import roc_points
from busight.report.figures.case_arrays import NO_POINTS, CaseArrays, case_arrays, classes_with_curve
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import HALF_WIDTH, MUTED, class_style, new_figure, unit_square
from busight.report.text.sanitise import short_label
from busight.results.records import ResultRecord


def draw_roc(cases: CaseArrays, classes: tuple[str, ...], areas: dict[str, float]) -> Figure:
    """Draw one step curve for each class; a class that has no case, or all of them, is named as undefined.

    Args:
        cases: The cases.
        classes: K names.
        areas: AUROC by class, for the legend.
    """
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    for k, name in classes_with_curve(classes):
        style = class_style(name, k)
        points = roc_points(cases.calibrated[:, k], cases.target == k)
        defined = not np.isnan(points.sensitivity[-1] + points.false_positive_rate[-1])
        area = f"AUROC {areas[name]:.3f}" if defined and name in areas else "undefined"
        x, y = (points.false_positive_rate, points.sensitivity) if defined else (NO_POINTS, NO_POINTS)
        ax.plot(
            x,
            y,
            color=style.colour,
            linestyle=style.line,
            marker=style.marker,
            markevery=0.15,
            markersize=4.5,
            label=f"{short_label(name, 18)}: {area}",
        )
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 3)), label="chance")
    unit_square(ax, "1 − specificity", "sensitivity")
    ax.legend(loc="lower right")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    cases = case_arrays(record)
    areas = {name: record.metrics.get("auroc", name).value for name in record.classes}
    values = ", ".join(f"{name} {area:.3f}" for name, area in areas.items() if not np.isnan(area))
    return [
        FigureSpec(
            name="roc",
            title="ROC curves",
            caption="Each curve sets one class against the rest and moves the threshold from strict (bottom left) to "
            "lax (top right). The nearer to the top left corner, the better; the dotted line is chance.",
            alt=f"ROC curves, one class against the rest. AUROC: {values or 'undefined'}.",
            draw=lambda: draw_roc(cases, record.classes, areas),
            width="half",
        )
    ]
