"""The paper's confusion matrix and training curves beside this run's, drawn alike."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from busight.report.figures.confusion_matrix import Matrix, matrix_on, row_shares
from busight.report.figures.training_curves import Quantity, curve_on
from busight.report.paper import PAPER_CLASSES, PAPER_CONFUSION, PAPER_HISTORY, in_paper_order
from busight.report.render.plate import Plate
from busight.report.render.style import FULL_WIDTH, new_figure
from busight.results.run_record import History, RunRecord


def draw_confusions_beside(ours: Matrix) -> Figure:
    """Draw the paper's counts on the left and ours, in the paper's order of classes, on the right."""
    figure = new_figure(FULL_WIDTH, 3.5)
    for ax, confusion, title in zip(
        figure.subplots(1, 2), (PAPER_CONFUSION, ours), ("The paper (its Fig. 4)", "This run"), strict=True
    ):
        texts = [[str(n) for n in row] for row in confusion]
        matrix_on(ax, row_shares(confusion), texts, PAPER_CLASSES, f"{title}: {sum(map(sum, confusion))} images")
    return figure


def draw_curves_beside(ours: History, quantity: Quantity) -> Figure:
    """Draw the paper's three epochs on the left and this run's on the right, over the same range of values."""
    figure = new_figure(FULL_WIDTH, 2.9)
    left, right = figure.subplots(1, 2, sharey=True)
    curve_on(left, PAPER_HISTORY, quantity, kept=False)
    curve_on(right, ours, quantity)
    left.set_title("The paper")
    right.set_title("This run")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the comparison where the record asks for it; curves only where a classifier was trained."""
    if not record.paper_comparison:
        return []
    confusion = in_paper_order(record.sheet)
    drawn = [
        Plate(
            name="paper-confusion-matrix",
            title="Confusion matrices: the paper’s and ours",
            reading="Both sides read alike: rows actual, columns predicted, shades the share of the row. The two test "
            "sets are different images unless the split is the paper’s, and even then the seed is unknown.",
            alt=f"The paper’s confusion matrix {PAPER_CONFUSION} beside this run’s {confusion}; classes "
            f"{', '.join(PAPER_CLASSES)}.",
            draw=partial(draw_confusions_beside, confusion),
        )
    ]
    ours = next((history for history in record.histories if history.network == "classifier" and history.rows), None)
    if ours:
        drawn += [_curve_plate(ours, "accuracy"), _curve_plate(ours, "loss")]
    return drawn


def _curve_plate(ours: History, quantity: Quantity) -> Plate:
    return Plate(
        name=f"paper-{quantity}",
        title=f"{quantity.capitalize()}: the paper’s three epochs and ours",
        reading=f"The {quantity} axis is shared, so that heights compare across the two graphs; the numbers of epochs "
        "need not be the same.",
        alt=f"Two line charts of {quantity}: the paper’s three epochs and this run’s {len(ours.rows)}.",
        draw=partial(draw_curves_beside, ours, quantity),
    )
