"""The paper's confusion matrix and training curves beside this run's, in one style."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from busight.report.figures.confusion_matrix import Matrix, matrix_on, row_shares
from busight.report.figures.training_curves import Quantity, curve_on
from busight.report.paper import (
    PAPER_CLASSES,
    PAPER_CONFUSION,
    PAPER_HISTORY,
    classifier_history,
    in_paper_order,
    is_comparable,
)
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import FULL_WIDTH, new_figure
from busight.results.history import History
from busight.results.records import ResultRecord


def draw_confusions_beside(confusion: Matrix) -> Figure:
    """Draw the paper's counts on the left and this run's, in the paper's order of classes, on the right."""
    figure = new_figure(FULL_WIDTH, 3.5)
    matrices = (("The paper (its Fig. 4)", PAPER_CONFUSION), ("This run", confusion))
    for ax, (title, matrix) in zip(figure.subplots(1, 2), matrices, strict=True):
        texts = [[str(n) for n in row] for row in matrix]
        matrix_on(ax, row_shares(matrix), texts, PAPER_CLASSES, f"{title}: {sum(map(sum, matrix))} images")
    return figure


def draw_curves_beside(history: History, quantity: Quantity) -> Figure:
    """Draw the paper's three epochs on the left and this run's on the right, over the same range of values."""
    figure = new_figure(FULL_WIDTH, 2.9)
    left, right = figure.subplots(1, 2, sharey=True)
    curve_on(left, PAPER_HISTORY, quantity, kept=False)
    curve_on(right, history, quantity)
    left.set_title("The paper")
    right.set_title("This run")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the comparison where the paper's task and data are this run's; curves only with a trained classifier."""
    if not is_comparable(record):
        return []
    confusion = in_paper_order(record.metrics)
    specs = [
        FigureSpec(
            name="paper-confusion-matrix",
            title="Confusion matrices: the paper’s and this run’s",
            caption="Rows are targets, columns predictions, shades the share of the row. The two test sets are "
            "different images unless the split is the paper’s, and even then the seed is unknown.",
            alt=f"The paper’s confusion matrix {PAPER_CONFUSION} beside this run’s {confusion}; classes "
            f"{', '.join(PAPER_CLASSES)}.",
            draw=partial(draw_confusions_beside, confusion),
        )
    ]
    history = classifier_history(record)
    if history:
        specs += [_curves(history, "accuracy"), _curves(history, "loss")]
    return specs


def _curves(history: History, quantity: Quantity) -> FigureSpec:
    return FigureSpec(
        name=f"paper-{quantity}",
        title=f"{quantity.capitalize()}: the paper’s three epochs and this run’s",
        caption=f"The {quantity} axis is shared, so that heights compare across the two graphs; the "
        "numbers of epochs may differ.",
        alt=f"Two line charts of {quantity}: the paper’s three epochs and this run’s {len(history.rows)}.",
        draw=partial(draw_curves_beside, history, quantity),
    )
