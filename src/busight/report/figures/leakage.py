"""Figure of a leakage study: one recipe under every evaluation protocol."""

from __future__ import annotations

import math
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from busight.report.blocks.metric_tables import metric_label
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, WRONG, new_figure
from busight.report.text.numbers import interval_text
from busight.results.leakage_record import LeakageRecord, ProtocolResult

_COLOURS = {"image": WRONG, "group": ACCENT, "without_label_conflicts": ACCENT, "external": INK}
_MARKERS = {"image": "s", "group": "D", "without_label_conflicts": "o", "external": "^"}


def panels_of(record: LeakageRecord) -> tuple[tuple[str, str], ...]:
    """Return the metrics of the panels, as (metric, of): last, where there is one, that of lesion images alone."""
    lesions = record.protocols[0].metrics.lesion_comparison
    return (("accuracy", "overall"), ("auroc", "macro"), *(() if lesions is None else (("auroc", lesions),)))


def draw_leakage(record: LeakageRecord) -> Figure:
    """Draw one panel per metric: a row per protocol with its interval, a dotted line at the grouped folds' value."""
    figure = new_figure(FULL_WIDTH, 1.3 + 0.72 * len(record.protocols))
    names = panels_of(record)
    panels = figure.subplots(1, len(names), sharey=True)
    estimates = [protocol.metrics.find(*name) for protocol in record.protocols for name in names]
    # Without an interval (too few groups) the value itself is all there is.
    lows = [e.low if _is_defined(e.low) else e.value for e in estimates if e and _is_defined(e.value)]
    left = min(0.9, max(0.0, math.floor(min(lows, default=0.5) * 10) / 10))
    for ax, (metric, of) in zip(panels, names, strict=True):
        _panel(ax, record, metric, of, left)
        ax.set_title(metric_label(metric, of))
        ax.set_xlim(left, 1.005)
        # The last tick of one panel and the first of the next would touch.
        ax.xaxis.set_major_locator(MaxNLocator(5, prune=None if ax is panels[0] else "lower"))
    panels[0].set_yticks(range(len(record.protocols)), [_row(p, n) for n, p in enumerate(record.protocols, start=1)])
    panels[0].set_ylim(len(record.protocols) - 0.4, -0.55)
    return figure


def _panel(ax: Axes, record: LeakageRecord, metric: str, of: str, left: float) -> None:
    grouped = next(p.metrics.find(metric, of) for p in record.protocols if p.name == "group")
    if grouped is not None and _is_defined(grouped.value):
        ax.axvline(grouped.value, color=ACCENT, linewidth=1, linestyle=(0, (1, 2)), zorder=0, alpha=0.6)
    for place, protocol in enumerate(record.protocols):
        estimate = protocol.metrics.find(metric, of)
        if estimate is None or not _is_defined(estimate.value):
            middle = (left + 1) / 2
            ax.text(
                middle, place, "undefined:\na class is missing", color=MUTED, ha="center", va="center", fontsize=7.5
            )
            continue
        value, ends, colour = estimate.value, [estimate.low, estimate.high], _COLOURS[protocol.name]
        ax.plot(ends, [place, place], color=colour, linewidth=6, alpha=0.28, solid_capstyle="butt")
        ax.plot(value, place, _MARKERS[protocol.name], color=colour, markersize=7, markeredgecolor="white")
        _beside(ax, value, place, left, 9, f"{value:.3f}", colour, 8.5)
        _beside(ax, value, place, left, -15, points_text(protocol, metric, of), colour, 6.8)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _beside(ax: Axes, x: float, y: float, left: float, offset: float, text: str, colour: str, size: float) -> None:
    """Write above or below a marker, leaning inwards near either end of the axis so that nothing leaves the panel."""
    share = (x - left) / (1 - left)
    lean: Literal["left", "center", "right"] = "left" if share < 0.4 else "right" if share > 0.6 else "center"
    nudge = {"left": -5, "center": 0, "right": 5}[lean]
    weight = "bold" if offset > 0 else "normal"
    ax.annotate(
        text,
        (x, y),
        (nudge, offset),
        textcoords="offset points",
        ha=lean,
        color=colour,
        fontweight=weight,
        fontsize=size,
        # The dotted line may run behind it.
        path_effects=[withStroke(linewidth=2.4, foreground="white")],
    )


def points_text(protocol: ProtocolResult, metric: str, of: str) -> str:
    """Return the difference to the grouped folds in points with its interval; empty where there is none.

    A point is a hundredth: of accuracy one per cent, of AUROC 0.01.
    """
    difference = protocol.difference_to_grouped.find(metric, of)
    if difference is None or not _is_defined(difference.value):
        return ""
    ends = interval_text(100 * difference.low, 100 * difference.high, "+.1f")
    return f"{100 * difference.value:+.1f} points ({ends})".replace("-", "−")


def figure_specs(record: LeakageRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    values = "; ".join(
        f"{protocol.description}: " + ", ".join(_value_text(protocol, metric, of) for metric, of in panels_of(record))
        for protocol in record.protocols
    )
    return [
        FigureSpec(
            name="leakage",
            title="Effect of a leaking split",
            caption="Each row is the same recipe under another evaluation protocol; markers are metrics, bars their "
            "intervals. The dotted line is the metric when patients and near-duplicates stay together. Points are "
            "differences to that row on the images that both tested. Where the first row lies above the line, the "
            "excess comes from copies of training images among the test images, and no new patient brings it.",
            alt=f"Metrics by protocol. {values}.",
            draw=lambda: draw_leakage(record),
        )
    ]


def _value_text(protocol: ProtocolResult, metric: str, of: str) -> str:
    estimate = protocol.metrics.find(metric, of)
    value = f"{estimate.value:.3f}" if estimate is not None and _is_defined(estimate.value) else "undefined"
    return f"{metric_label(metric, of)} {value}"


def _row(protocol: ProtocolResult, number: int) -> str:
    description = protocol.description.replace(", ", ",\n").replace(" by patient and", " by patient\nand")
    return f"{number}  {description}"


def _is_defined(value: float) -> bool:
    return not math.isnan(value)
