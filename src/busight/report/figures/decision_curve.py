"""The decision curve: whether acting on the probability is worth more than acting on everybody or on nobody."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.decision_curve import DecisionCurve, decision_curve
from busight.report.figures.labelled import labelled
from busight.report.render.plate import Plate
from busight.report.render.style import ACCENT, HALF_WIDTH, INK, MUTED, new_figure
from busight.results.run_record import RunRecord

_THRESHOLDS = np.linspace(0.01, 0.6, 60)
"""Whoever suspects a cancer acts on less than 60 %."""


def draw_decision_curve(curve: DecisionCurve) -> Figure:
    """Draw the net benefit over the probability at which one would act."""
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    ax.plot(curve.threshold, curve.model, color=ACCENT, label="by the probability")
    ax.plot(curve.threshold, curve.everybody, color="#c77700", linestyle="--", label="everybody")
    ax.axhline(0, color=INK, linewidth=0.9, linestyle=":", label="nobody")
    top = max(float(curve.model.max()), float(curve.everybody.max()), 0.01)
    ax.set(xlim=(0, curve.threshold[-1]), ylim=(-0.25 * top, 1.15 * top))
    ax.set(xlabel="probability from which one would act", ylabel="net benefit (true positives an image)")
    ax.legend(loc="best", labelcolor=MUTED)
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure, of the last class; none where it has no case, or no other has one."""
    cases = labelled(record)
    positive = None if cases is None else cases.target == len(record.classes) - 1
    if cases is None or positive is None or positive.all() or not positive.any():
        return []
    last = record.classes[-1]
    curve = decision_curve(cases.calibrated[:, -1], positive, _THRESHOLDS)
    better = curve.threshold[curve.model > np.maximum(curve.everybody, 0)]
    told = f"from {better.min():.2f} to {better.max():.2f}" if len(better) else "nowhere"
    return [
        Plate(
            name="decision-curve",
            title=f"Decision curve: {last}",
            reading="Whoever would act from a probability of 10 % on counts one missed case as much as nine needless "
            f"examinations. Where the solid line is highest, acting on the probability of {last} is worth more than "
            "examining everybody or nobody, at the share of such cases among these images.",
            alt=f"Decision curve of {last}: acting on the probability is best {told}.",
            draw=lambda: draw_decision_curve(curve),
            width="half",
        )
    ]
