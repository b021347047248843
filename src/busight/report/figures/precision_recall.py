"""The precision–recall curve of each class against the rest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.curves import precision_recall_points
from busight.report.blocks.scores_table import find_score
from busight.report.figures.labelled import NOTHING, Labelled, drawn_classes, labelled
from busight.report.render.plate import Plate
from busight.report.render.style import HALF_WIDTH, look_of, new_figure, unit_square
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord


def draw_precision_recall(cases: Labelled, classes: tuple[str, ...], averages: dict[str, float]) -> Figure:
    """Draw one step curve for each class, and its share of the cases as the level that chance would reach.

    Args:
        cases: Labelled cases.
        classes: K names.
        averages: Average precision by class, for the legend.
    """
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    for k, name in drawn_classes(classes):
        look = look_of(name, k)
        positive = cases.target == k
        defined = bool(positive.any())
        average = f"AP {averages[name]:.3f}" if defined and name in averages else "undefined"
        points = precision_recall_points(cases.calibrated[:, k], positive)
        x, y = (
            (np.append(0.0, points.recall), np.append(points.precision[0], points.precision))
            if defined
            else (NOTHING, NOTHING)
        )
        ax.step(
            x,
            y,
            where="pre",
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=0.15,
            markersize=4.5,
            label=f"{short_label(name, 18)}: {average}",
        )
        if defined:
            ax.plot([0, 1], [positive.mean()] * 2, color=look.colour, linewidth=0.8, linestyle=(0, (1, 3)))
    unit_square(ax, "recall (sensitivity)", "precision")
    ax.legend(loc="lower left")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure, or none where no case has a label."""
    cases = labelled(record)
    if cases is None:
        return []
    found = {name: find_score(record.sheet, "average_precision", name) for name in record.classes}
    averages = {name: score.value for name, score in found.items() if score}
    told = ", ".join(f"{name} {value:.3f}" for name, value in averages.items() if not np.isnan(value))
    return [
        Plate(
            name="precision-recall",
            title="Precision–recall curves",
            reading="From left to right more of a class is found; the height says how many of those called it are of "
            "it. The thin dotted level of the same colour is what guessing would reach: it depends on how common the "
            "class is, so compare curves only on the same data.",
            alt=f"Precision–recall curves, one class against the rest. Average precision: {told or 'undefined'}.",
            draw=lambda: draw_precision_recall(cases, record.classes, averages),
            width="half",
        )
    ]
