"""Reliability diagram: accuracy over confidence, before and after calibration."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.metrics.curves import ReliabilityBins, reliability_bins
from busight.metrics.proportion import clopper_pearson_interval
from busight.report.blocks.metric_tables import estimate_text
from busight.report.figures.case_arrays import CaseArrays, case_arrays
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, new_figure, unit_square
from busight.results.records import ResultRecord


def draw_reliability(cases: CaseArrays) -> Figure:
    """Draw accuracy over confidence before and after calibration, and beside it the cases of each bin."""
    figure = new_figure(FULL_WIDTH, 3.7)
    left, right = figure.subplots(1, 2)
    raw, calibrated = reliability_bins(cases.target, cases.raw), reliability_bins(cases.target, cases.calibrated)
    left.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 3)), label="perfect")
    left.plot(*_filled(raw), color="#c77700", linestyle="--", marker="s", markersize=4, fillstyle="none", label="raw")
    left.plot(*_filled(calibrated), color=ACCENT, linestyle="-", marker="o", markersize=5, label="calibrated")
    _whiskers(left, calibrated)
    unit_square(left, "confidence (highest probability)", "accuracy")
    left.legend(loc="best")
    widths = np.diff(calibrated.edges)
    right.bar(calibrated.edges[:-1], calibrated.count, widths * 0.9, align="edge", color=ACCENT, label="calibrated")
    right.stairs(raw.count, raw.edges, color="#c77700", linestyle="--", linewidth=1.4, label="raw")
    right.set(xlim=(-0.02, 1.02), xlabel="confidence (highest probability)", ylabel="cases")
    right.legend(loc="upper left")
    return figure


def _filled(bins: ReliabilityBins) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence and accuracy of the bins that hold a case."""
    held = bins.count > 0
    return bins.confidence[held], bins.accuracy[held]


def _whiskers(ax: Axes, bins: ReliabilityBins) -> None:
    """Draw the exact interval of the accuracy in each bin: few cases, long whisker."""
    for confidence, accuracy, count in zip(bins.confidence, bins.accuracy, bins.count, strict=True):
        if count:
            right = round(float(accuracy) * int(count))
            ax.plot([confidence] * 2, clopper_pearson_interval(right, int(count)), color=INK, linewidth=0.8, alpha=0.6)


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    cases = case_arrays(record)
    error = estimate_text(record.metrics.find("ece"), record.metrics)
    return [
        FigureSpec(
            name="reliability",
            title="Reliability",
            caption="On the dotted line accuracy equals confidence; below it the network is overconfident. Thin "
            "whiskers are 95 % intervals; the bars on the right are the cases of each point.",
            alt=f"Reliability diagram before and after calibration. Calibration error after: {error}.",
            draw=lambda: draw_reliability(cases),
        )
    ]
