"""Decision curve: net benefit of treatment by the probability, against treating all or none."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.decision_curve import DecisionCurve, decision_curve
from busight.report.figures.case_arrays import case_arrays
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import ACCENT, HALF_WIDTH, INK, MUTED, new_figure
from busight.results.records import ResultRecord

_THRESHOLDS = np.linspace(0.01, 0.6, 60)
"""Threshold probabilities of clinical interest: a suspected cancer is followed up below 60 %."""


def draw_decision_curve(curve: DecisionCurve) -> Figure:
    """Draw the net benefit over the threshold probability."""
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    ax.plot(curve.threshold, curve.model, color=ACCENT, label="by probability")
    ax.plot(curve.threshold, curve.treat_all, color="#c77700", linestyle="--", label="treat all")
    ax.axhline(0, color=INK, linewidth=0.9, linestyle=":", label="nobody")
    top = max(float(curve.model.max()), float(curve.treat_all.max()), 0.01)
    ax.set(xlim=(0, curve.threshold[-1]), ylim=(-0.25 * top, 1.15 * top))
    ax.set(xlabel="threshold probability", ylabel="net benefit (true positives per image)")
    ax.legend(loc="best", labelcolor=MUTED)
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec, of the positive class; none without one, or without a positive or a negative case."""
    name = record.metrics.positive
    if name is None:
        return []
    cases, place = case_arrays(record), record.classes.index(name)
    positive = cases.target == place
    if positive.all() or not positive.any():
        return []
    curve = decision_curve(cases.calibrated[:, place], positive, _THRESHOLDS)
    better = curve.threshold[curve.model > np.maximum(curve.treat_all, 0)]
    best_range = f"from {better.min():.2f} to {better.max():.2f}" if len(better) else "nowhere"
    return [
        FigureSpec(
            name="decision-curve",
            title=f"Decision curve: {name}",
            caption="A threshold of 10 % weighs one missed case like nine needless examinations. Where the solid "
            f"line is highest, acting on the probability of {name} has a higher net benefit than examining everybody "
            "or nobody, at the prevalence of these images.",
            alt=f"Decision curve of {name}: acting on the probability is best {best_range}.",
            draw=lambda: draw_decision_curve(curve),
            width="half",
        )
    ]
