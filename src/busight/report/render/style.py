"""Style of every figure: quiet axes, colours safe for colour-blind readers, markers that survive grey print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK = "#1d2a35"
MUTED = "#5f6c78"
FAINT = "#dfe4e8"
ACCENT = "#0b5c6b"
WRONG = "#b3261e"

SEQUENTIAL = LinearSegmentedColormap.from_list("paper-to-teal", ["#f4f8f8", "#9cc7cc", "#2f7f8c", "#08333d"])
"""For shares and metrics: lightness falls evenly, so that grey print keeps the order."""

FULL_WIDTH = 7.4
HALF_WIDTH = 4.3
"""Inches: a figure alone in its row, and one of a pair."""


@dataclass(frozen=True, slots=True)
class ClassStyle:
    """Style of one class in every figure: colour for the screen, hatch, line and marker for grey print."""

    colour: str
    hatch: str
    line: str
    marker: str


# Colours of Okabe and Ito, "Color Universal Design" (2008).
_STYLES = {
    "normal": ClassStyle("#0072b2", "...", "-.", "o"),
    "benign": ClassStyle("#009e73", "//", "--", "s"),
    "malignant": ClassStyle("#d55e00", "", "-", "^"),
}
_OTHER_STYLES = (
    ClassStyle("#56b4e9", "...", "-.", "D"),
    ClassStyle("#cc79a7", "xx", ":", "v"),
    ClassStyle("#b58900", "\\\\", "--", "P"),
)

_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.7,
    "savefig.dpi": 160,
    "svg.fonttype": "path",
    "svg.hashsalt": "busight",
    # Names of files may hold dollar signs: nothing is read as a formula.
    "text.parse_math": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save under the house style, independent of the user's matplotlibrc; undone at the end."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in inches. Made without pyplot, so that it is freed like any other object."""
    return Figure(figsize=(width, height), layout="constrained")


def class_style(class_name: str, index: int) -> ClassStyle:
    """Return the style of a class; classes other than normal, benign and malignant take theirs by index."""
    return _STYLES.get(class_name) or _OTHER_STYLES[index % len(_OTHER_STYLES)]


def unit_square(ax: Axes, x_label: str, y_label: str) -> None:
    """Set up axes on which both directions run from 0 to 1, with room for a line along the edge."""
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x_label, ylabel=y_label, aspect="equal")


def text_on(share: float) -> str:
    """Return the text colour that reads on ``SEQUENTIAL(share)``."""
    return "white" if share > 0.55 else INK
