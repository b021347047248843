"""What the paper prints, to stand beside a run.

Source: Panchal, Bhosale, Pancholi, Madhavi, Dhaigude, "Investigation of Convolutional Neural Networks for the
    Identification of Breast Cancer", 2024: Fig. 4 (117 test images) and the log of its three epochs.
"""

from __future__ import annotations

from busight.metrics.table import ScoreSheet
from busight.results.run_record import EpochRow, History

_NAN = float("nan")

PAPER_CLASSES = ("benign", "malignant", "normal")
PAPER_CONFUSION = ((65, 0, 1), (2, 29, 0), (0, 0, 20))
"""Rows actual, columns predicted."""

PAPER_TEXT = {
    ("accuracy", "overall"): "0.99",
    ("precision", "malignant"): "1.00",
    ("sensitivity", "malignant"): "1.00",
    ("sensitivity", "normal"): "1.00",
}
"""What its abstract, text and conclusion say, by (metric, of); elsewhere the text has 97 % for the accuracy."""


def _row(epoch: int, train_accuracy: float, train_loss: float, val_accuracy: float, val_loss: float) -> EpochRow:
    return EpochRow(epoch, train_loss, train_accuracy, val_loss, val_accuracy, _NAN, _NAN, _NAN)


PAPER_HISTORY = History(
    network="classifier",
    rows=(
        _row(1, 0.9201, 0.2904, 0.9500, 0.1738),
        _row(2, 0.9414, 0.1700, 0.9600, 0.1160),
        _row(3, 0.9574, 0.1316, 0.9900, 0.0741),
    ),
    best_epoch=3,
    monitor="val_loss",
)
"""The paper does not say which epoch's weights it tested."""


def in_paper_order(sheet: ScoreSheet) -> tuple[tuple[int, ...], ...]:
    """Return a sheet's confusion matrix with rows and columns in the paper's order of classes."""
    places = [sheet.classes.index(name) for name in PAPER_CLASSES]
    return tuple(tuple(sheet.confusion[row][column] for column in places) for row in places)


def paper_scores() -> dict[tuple[str, str], float]:
    """Return what follows from the paper's matrix, by (metric, of), named as in a score sheet.

    Example:
        >>> scores = paper_scores()
        >>> round(scores["accuracy", "overall"], 3), round(scores["sensitivity", "malignant"], 3)
        (0.974, 0.935)
    """
    total = sum(map(sum, PAPER_CONFUSION))
    scores = {("accuracy", "overall"): sum(PAPER_CONFUSION[k][k] for k in range(3)) / total}
    for k, name in enumerate(PAPER_CLASSES):
        right, actual = PAPER_CONFUSION[k][k], sum(PAPER_CONFUSION[k])
        predicted = sum(row[k] for row in PAPER_CONFUSION)
        scores["precision", name] = right / predicted
        scores["sensitivity", name] = right / actual
        scores["f1", name] = 2 * right / (actual + predicted)
    scores["balanced_accuracy", "overall"] = sum(scores["sensitivity", name] for name in PAPER_CLASSES) / 3
    return scores
