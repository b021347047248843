"""The ROC curve of each class against the rest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.curves import roc_points
from busight.report.blocks.scores_table import find_score
from busight.report.figures.labelled import NOTHING, Labelled, drawn_classes, labelled
from busight.report.render.plate import Plate
from busight.report.render.style import HALF_WIDTH, MUTED, look_of, new_figure, unit_square
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord


def draw_roc(cases: Labelled, classes: tuple[str, ...], areas: dict[str, float]) -> Figure:
    """Draw one step curve for each class; a class that has no case, or all of them, is named as undefined.

    Args:
        cases: Labelled cases.
        classes: K names.
        areas: AUROC by class, for the legend.
    """
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    for k, name in drawn_classes(classes):
        look = look_of(name, k)
        points = roc_points(cases.calibrated[:, k], cases.target == k)
        defined = not np.isnan(points.sensitivity[-1] + points.false_positive_rate[-1])
        area = f"AUROC {areas[name]:.3f}" if defined and name in areas else "undefined"
        x, y = (points.false_positive_rate, points.sensitivity) if defined else (NOTHING, NOTHING)
        ax.plot(
            x,
            y,
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=0.15,
            markersize=4.5,
            label=f"{short_label(name, 18)}: {area}",
        )
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 3)), label="chance")
    unit_square(ax, "1 − specificity", "sensitivity")
    ax.legend(loc="lower right")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure, or none where no case has a label."""
    cases = labelled(record)
    if cases is None:
        return []
    found = {name: find_score(record.sheet, "auroc", name) for name in record.classes}
    areas = {name: score.value for name, score in found.items() if score}
    told = ", ".join(f"{name} {area:.3f}" for name, area in areas.items() if not np.isnan(area))
    return [
        Plate(
            name="roc",
            title="ROC curves",
            reading="Each curve sets one class against the rest and moves the threshold from strict (bottom left) to "
            "lax (top right). The nearer to the top left corner, the better; the dotted line is chance.",
            alt=f"ROC curves, one class against the rest. AUROC: {told or 'undefined'}.",
            draw=lambda: draw_roc(cases, record.classes, areas),
            width="half",
        )
    ]
