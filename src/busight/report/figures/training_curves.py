"""Training curves: accuracy (or Dice) and loss over the epochs, in the paper's colours."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import HALF_WIDTH, INK, new_figure
from busight.report.text.epochs import selection_criterion
from busight.report.text.sanitise import file_stem
from busight.results.history import History
from busight.results.records import ResultRecord, TrainingRunRecord

Quantity = Literal["accuracy", "dice", "loss"]

# The paper draws training and validation in these colours; line style and marker distinguish them in grey.
_COLOURS = {"accuracy": ("#1f5fbf", "#c62828"), "dice": ("#1f5fbf", "#c62828"), "loss": ("#2e7d32", "#ef7d00")}


def curve_on(ax: Axes, history: History, quantity: Quantity, kept: bool = True) -> None:
    """Draw training and validation over the epochs on given axes; ``kept`` marks the epoch whose weights were kept."""
    epochs = [row.epoch for row in history.rows]
    colours = _COLOURS[quantity]
    if quantity != "dice":
        training = [getattr(row, f"train_{quantity}") for row in history.rows]
        ax.plot(epochs, training, color=colours[0], linestyle="-", marker="o", markersize=4, label="training")
    validation = [getattr(row, f"val_{quantity}") for row in history.rows]
    ax.plot(epochs, validation, color=colours[1], linestyle="--", marker="s", markersize=4, label="validation")
    if kept:
        label = f"kept: epoch {history.best_epoch}"
        ax.axvline(history.best_epoch, color=INK, linestyle=":", linewidth=1.2, label=label)
    ax.set(xlabel="epoch", ylabel="Dice" if quantity == "dice" else quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(loc="best")


def draw_training_curve(history: History, quantity: Quantity) -> Figure:
    """Draw one quantity of one network over its epochs."""
    figure = new_figure(HALF_WIDTH, 3.1)
    curve_on(figure.add_subplot(), history, quantity)
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return two graphs for each trained network: accuracy or Dice, and loss."""
    if not isinstance(record, TrainingRunRecord):
        return []
    specs = []
    for history in record.histories:
        if not history.rows:
            continue
        has_accuracy = any(not math.isnan(row.val_accuracy) for row in history.rows)
        has_dice = any(not math.isnan(row.val_dice) for row in history.rows)
        quantities: list[Quantity] = ["accuracy"] if has_accuracy else []
        quantities += ["dice"] if has_dice else []
        specs += [_figure_spec(history, quantity) for quantity in [*quantities, "loss"]]
    return specs


def _figure_spec(history: History, quantity: Quantity) -> FigureSpec:
    last = history.rows[-1]
    word = "Dice" if quantity == "dice" else quantity
    lines = "The line is validation" if quantity == "dice" else "Solid: training; dashed: validation"
    advice = {
        "accuracy": "A growing gap between the two is a sign of overfitting",
        "dice": "A Dice of 1 is the annotated outline exactly",
        "loss": "Validation loss that rises while training loss falls is a sign of overfitting",
    }[quantity]
    return FigureSpec(
        name=f"{quantity}-{file_stem(history.network)}",
        title=f"{word[0].upper()}{word[1:]} of the {history.network}",
        caption=f"{lines}; the dotted line marks the epoch whose weights were kept ({selection_criterion(history)}). "
        f"{advice}.",
        alt=f"Line chart of {word} over {len(history.rows)} epochs of the {history.network}; validation ends at "
        f"{getattr(last, f'val_{quantity}'):.3f}; epoch {history.best_epoch} was kept.",
        draw=partial(draw_training_curve, history, quantity),
        width="half",
    )
