"""The inflation picture: one recipe under every protocol, and what a leaking split adds, in points."""

from __future__ import annotations

import math
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from busight.experiments.leakage import InflationRecord, Protocol
from busight.metrics.compute import AMONG_LESIONS
from busight.report.blocks.scores_table import find_score, score_name
from busight.report.render.plate import Plate
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, WRONG, new_figure

PANELS = (("accuracy", "overall"), ("auroc", "macro"), ("auroc", AMONG_LESIONS))
_TITLES = ("Accuracy\nthree classes", "AUROC\nmean of three classes", "AUROC\nmalignant against benign")
_COLOURS = {"image": WRONG, "group": ACCENT, "clean": ACCENT, "external": INK}
_MARKERS = {"image": "s", "group": "D", "clean": "o", "external": "^"}


def draw_inflation(record: InflationRecord) -> Figure:
    """Draw one panel a figure: a row a protocol with its interval, the honest value as a dotted line."""
    figure = new_figure(FULL_WIDTH, 1.3 + 0.72 * len(record.protocols))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    found = [find_score(protocol.sheet, *which) for protocol in record.protocols for which in PANELS]
    # Without an interval (too few groups) the value itself is all there is.
    lows = [score.low if _is(score.low) else score.value for score in found if score and _is(score.value)]
    left = min(0.9, max(0.0, math.floor(min(lows, default=0.5) * 10) / 10))
    for ax, (metric, of), title in zip(panels, PANELS, _TITLES, strict=True):
        _panel(ax, record, metric, of, left)
        ax.set_title(title)
        ax.set_xlim(left, 1.005)
        # The last tick of one panel and the first of the next would touch.
        ax.xaxis.set_major_locator(MaxNLocator(5, prune=None if ax is panels[0] else "lower"))
    panels[0].set_yticks(range(len(record.protocols)), [_row(p, n) for n, p in enumerate(record.protocols, start=1)])
    panels[0].set_ylim(len(record.protocols) - 0.4, -0.55)
    return figure


def _panel(ax: Axes, record: InflationRecord, metric: str, of: str, left: float) -> None:
    honest = next(find_score(p.sheet, metric, of) for p in record.protocols if p.name == "group")
    if honest is not None and _is(honest.value):
        ax.axvline(honest.value, color=ACCENT, linewidth=1, linestyle=(0, (1, 2)), zorder=0, alpha=0.6)
    for place, protocol in enumerate(record.protocols):
        score = find_score(protocol.sheet, metric, of)
        if score is None or not _is(score.value):
            middle = (left + 1) / 2
            ax.text(
                middle, place, "undefined:\na class is missing", color=MUTED, ha="center", va="center", fontsize=7.5
            )
            continue
        colour = _COLOURS[protocol.name]
        ax.plot([score.low, score.high], [place, place], color=colour, linewidth=6, alpha=0.28, solid_capstyle="butt")
        ax.plot(score.value, place, _MARKERS[protocol.name], color=colour, markersize=7, markeredgecolor="white")
        _beside(ax, score.value, place, left, 9, f"{score.value:.3f}", colour, 8.5)
        _beside(ax, score.value, place, left, -15, points_text(protocol, metric, of), colour, 6.8)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _beside(ax: Axes, x: float, y: float, left: float, offset: float, text: str, colour: str, size: float) -> None:
    """Write above or below a mark, leaning inwards near either end of the axis so that nothing leaves the panel."""
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


def points_text(protocol: Protocol, metric: str, of: str) -> str:
    """Return the difference from the grouped folds in points with its interval; empty where there is none.

    A point is a hundredth: of accuracy one per cent, of AUROC 0.01.
    """
    found = protocol.difference(metric, of)
    if found is None or not _is(found.value):
        return ""
    return f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})".replace("-", "−")


def plates(record: InflationRecord) -> list[Plate]:
    """Return the one figure."""
    told = "; ".join(
        f"{protocol.about}: " + ", ".join(_told(protocol, metric, of) for metric, of in PANELS)
        for protocol in record.protocols
    )
    return [
        Plate(
            name="inflation",
            title="What a leaking split adds",
            reading="Each row is the same recipe tested in another way; marks are scores, bars their intervals. The "
            "dotted line is the score when patients and near-copies stay together. Points are differences from that "
            "row on the images that both tested. Where the first row lies above it, copies of training images among "
            "the test images pay for it, which no new patient brings.",
            alt=f"Scores by protocol. {told}.",
            draw=lambda: draw_inflation(record),
        )
    ]


def _told(protocol: Protocol, metric: str, of: str) -> str:
    score = find_score(protocol.sheet, metric, of)
    value = f"{score.value:.3f}" if score is not None and _is(score.value) else "undefined"
    return f"{score_name(metric, of)} {value}"


def _row(protocol: Protocol, number: int) -> str:
    return f"{number}  " + protocol.about.replace(", ", ",\n").replace(" by patient and", " by patient\nand")


def _is(value: float) -> bool:
    return not math.isnan(value)
