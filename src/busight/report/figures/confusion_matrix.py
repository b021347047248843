"""Confusion matrix, as counts and as shares of each target class."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import FULL_WIDTH, SEQUENTIAL, new_figure, text_on
from busight.report.text.sanitise import short_label
from busight.results.records import ResultRecord
from busight.types import FloatArray

Matrix = tuple[tuple[int, ...], ...]


def row_shares(confusion: Matrix) -> FloatArray:
    """Divide each row by its sum; a row without cases is NaN.

    Example:
        >>> row_shares(((3, 1), (0, 0))).tolist()
        [[0.75, 0.25], [nan, nan]]
    """
    counts = np.asarray(confusion, dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0))


def matrix_on(ax: Axes, shades: FloatArray, texts: list[list[str]], classes: tuple[str, ...], title: str) -> None:
    """Draw one matrix on given axes: cells shaded by ``shades`` (0–1, NaN left white), with a text in each."""
    ax.imshow(shades, cmap=SEQUENTIAL, vmin=0, vmax=1)
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            shade = float(np.nan_to_num(shades[row, column]))
            weight = "bold" if row == column else "normal"
            ax.text(column, row, text, ha="center", va="center", color=text_on(shade), weight=weight)
    ticks = range(len(classes))
    labels = [short_label(name, 14) for name in classes]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set(title=title, xlabel="prediction", ylabel="target")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def draw_confusion_matrix(confusion: Matrix, classes: tuple[str, ...]) -> Figure:
    """Draw counts on the left and shares of the target class on the right.

    Args:
        confusion: Rows target, columns prediction.
        classes: Class names in the order of rows and columns.
    """
    figure = new_figure(FULL_WIDTH, 3.5)
    left, right = figure.subplots(1, 2)
    shares = row_shares(confusion)
    matrix_on(left, shares, [[str(n) for n in row] for row in confusion], classes, "Counts")
    percents = [["–" if np.isnan(share) else f"{share:.1%}" for share in row] for row in shares]
    matrix_on(right, shares, percents, classes, "Shares of the target class")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec."""
    classes, confusion = record.metrics.classes, record.metrics.confusion
    rows = (
        f"of {sum(row)} {name}: " + ", ".join(f"{n} predicted {other}" for n, other in zip(row, classes, strict=True))
        for name, row in zip(classes, confusion, strict=True)
    )
    return [
        FigureSpec(
            name="confusion-matrix",
            title="Confusion matrix",
            caption="A row holds the test cases of one target class, a column those of one prediction. The diagonal is "
            "right; everything off it is an error. Shades show the share of the row.",
            alt=f"Confusion matrix. {'; '.join(rows)}.",
            draw=lambda: draw_confusion_matrix(confusion, classes),
        )
    ]
