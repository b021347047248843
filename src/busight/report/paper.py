"""The paper's published results, for comparison with a run.

Source: Panchal, Bhosale, Pancholi, Madhavi, Dhaigude, "Investigation of Convolutional Neural Networks for the
    Identification of Breast Cancer", 2024: Fig. 4 (117 test images) and the log of its three epochs.
"""

from __future__ import annotations

from busight.metrics.table import MetricTable
from busight.results.history import EpochRow, History
from busight.results.records import CrossValidationRecord, ResultRecord, TrainingRunRecord

_NAN = float("nan")

PAPER_CLASSES = ("benign", "malignant", "normal")
PAPER_CONFUSION = ((65, 0, 1), (2, 29, 0), (0, 0, 20))
"""Rows target, columns prediction."""

PAPER_TEXT = {
    ("accuracy", "overall"): "0.99",
    ("precision", "malignant"): "1.00",
    ("sensitivity", "malignant"): "1.00",
    ("sensitivity", "normal"): "1.00",
}
"""Metrics in its abstract, text and conclusion, by (metric, of); elsewhere the text has 97 % for the accuracy."""


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


def is_comparable(record: ResultRecord) -> bool:
    """Return whether a record is comparable with the paper's results: its task on its data, trained by a recipe."""
    return isinstance(record, TrainingRunRecord | CrossValidationRecord) and record.comparable_with_paper


def classifier_history(record: ResultRecord) -> History | None:
    """Return the training history of a record's classifier, for comparison with `PAPER_HISTORY`; None without one."""
    if not isinstance(record, TrainingRunRecord):
        return None
    return next((history for history in record.histories if history.network == "classifier" and history.rows), None)


def in_paper_order(table: MetricTable) -> tuple[tuple[int, ...], ...]:
    """Return a table's confusion matrix with rows and columns in the paper's order of classes."""
    places = [table.classes.index(name) for name in PAPER_CLASSES]
    return tuple(tuple(table.confusion[row][column] for column in places) for row in places)


def paper_metrics() -> dict[tuple[str, str], float]:
    """Return the metrics of the paper's matrix, by (metric, of), named as in a metric table.

    Example:
        >>> metrics = paper_metrics()
        >>> round(metrics["accuracy", "overall"], 3), round(metrics["sensitivity", "malignant"], 3)
        (0.974, 0.935)
    """
    total = sum(map(sum, PAPER_CONFUSION))
    metrics = {("accuracy", "overall"): sum(PAPER_CONFUSION[k][k] for k in range(3)) / total}
    for k, name in enumerate(PAPER_CLASSES):
        right, targets = PAPER_CONFUSION[k][k], sum(PAPER_CONFUSION[k])
        predictions = sum(row[k] for row in PAPER_CONFUSION)
        metrics["precision", name] = right / predictions
        metrics["sensitivity", name] = right / targets
        metrics["f1", name] = 2 * right / (targets + predictions)
    metrics["balanced_accuracy", "overall"] = sum(metrics["sensitivity", name] for name in PAPER_CLASSES) / 3
    return metrics
