"""Risk–coverage curve of selective prediction."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.risk_coverage import RiskCoverage, risk_coverage
from busight.report.figures.case_arrays import case_arrays
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import ACCENT, HALF_WIDTH, MUTED, new_figure
from busight.results.records import ResultRecord


def draw_risk_coverage(curve: RiskCoverage) -> Figure:
    """Draw the risk over the coverage, the most confident images first."""
    figure = new_figure(HALF_WIDTH, HALF_WIDTH)
    ax = figure.add_subplot()
    # Each risk is that of all images up to its coverage, as the area under the curve counts it.
    coverage, risk = np.append(0.0, curve.coverage), np.append(curve.risk[0], curve.risk)
    ax.plot(coverage, risk, color=ACCENT, drawstyle="steps-pre", label="the most confident first")
    ax.axhline(curve.risk[-1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 3)), label="in any order")
    ax.set(xlim=(-0.02, 1.02), xlabel="coverage (share of images answered)", ylabel="risk (share of errors among them)")
    ax.set_ylim(0, max(0.05, 1.25 * float(curve.risk.max())))
    ax.legend(loc="best")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    cases = case_arrays(record)
    curve = risk_coverage(cases.target, cases.calibrated)
    _, half = curve.at(0.5)
    return [
        FigureSpec(
            name="risk-coverage",
            title="Risk and coverage",
            caption="From left to right more images are answered, the most confident first; the others go to a person. "
            "The further the curve stays below the dotted line, the better confidence predicts errors.",
            alt=f"Risk–coverage curve. Risk at half coverage: {half:.3f}; at full coverage: {curve.risk[-1]:.3f}; "
            f"area under the curve {curve.area:.3f}.",
            draw=lambda: draw_risk_coverage(curve),
            width="half",
        )
    ]
