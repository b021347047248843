"""The risk–coverage curve: how often the answers are wrong when only the sure ones are given."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.risk_coverage import RiskCoverage, risk_coverage
from busight.report.figures.labelled import labelled
from busight.report.render.plate import Plate
from busight.report.render.style import ACCENT, HALF_WIDTH, MUTED, new_figure
from busight.results.run_record import RunRecord


def draw_risk_coverage(curve: RiskCoverage) -> Figure:
    """Draw the share of wrong answers over the share of images that are answered, the surest first."""
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    # Each risk is that of everything answered up to its coverage, as the area counts it.
    coverage, risk = np.append(0.0, curve.coverage), np.append(curve.risk[0], curve.risk)
    ax.plot(coverage, risk, color=ACCENT, drawstyle="steps-pre", label="the surest first")
    ax.axhline(curve.risk[-1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 3)), label="in any order")
    ax.set(xlim=(-0.02, 1.02), xlabel="share of images answered", ylabel="share of answers that are wrong")
    ax.set_ylim(0, max(0.05, 1.25 * float(curve.risk.max())))
    ax.legend(loc="best")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure, or none where no case has a label."""
    cases = labelled(record)
    if cases is None:
        return []
    curve = risk_coverage(cases.target, cases.calibrated)
    _, half = curve.at(0.5)
    return [
        Plate(
            name="risk-coverage",
            title="Answering the sure ones only",
            reading="From left to right more images are answered, the surest first. The lower the curve stays below "
            "the dotted line, the better the network knows when to hand a case to a person.",
            alt=f"Risk–coverage curve. Wrong among the surest half: {half:.3f}; among all: {curve.risk[-1]:.3f}; "
            f"area under the curve {curve.area:.3f}.",
            draw=lambda: draw_risk_coverage(curve),
            width="half",
        )
    ]
