"""Report section: training curves, and the epochs as numbers."""

from __future__ import annotations

import math

from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.report.text.epochs import selection_criterion
from busight.report.text.numbers import counted, duration_text
from busight.results.history import EpochRow, History
from busight.results.records import CrossValidationRecord, ResultRecord, TrainingRunRecord


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return curves and epoch tables, or the sentence that nothing was trained."""
    if isinstance(record, CrossValidationRecord):
        networks = counted(len(record.folds), "network")
        return _note(f"{networks} were trained, one a fold; the folder of each fold holds its training history.")
    if not isinstance(record, TrainingRunRecord) or not any(history.rows for history in record.histories):
        return _note("Nothing was trained here: the bundle was used as it is.")
    blocks: list[Block] = [figures["training"]]
    blocks += [_epochs(history) for history in record.histories if history.rows]
    rows = tuple((stage, duration_text(seconds)) for stage, seconds in record.stage_seconds)
    blocks.append(Table("Time by stage", ("stage", "time"), rows, numeric=(1,)))
    return Section("training", "Training", tuple(blocks))


def _note(text: str) -> Section:
    return Section("training", "Training", (Paragraph(text),))


def _epochs(history: History) -> Table:
    header = (
        "epoch",
        "train loss",
        "train accuracy",
        "val. loss",
        "val. accuracy",
        "val. Dice",
        "learning rate",
        "time",
    )
    rows = [_row(row, history.best_epoch) for row in history.rows]
    # A column without any value, such as the accuracy of a segmenter, is left out.
    kept = [k for k in range(len(header)) if any(row[k] != "–" for row in rows)]
    return Table(
        f"Epochs of the {history.network}; ★ marks the one whose weights were kept ({selection_criterion(history)})",
        tuple(header[k] for k in kept),
        tuple(tuple(row[k] for k in kept) for row in rows),
        numeric=tuple(range(len(kept))),
        folded=True,
    )


def _row(row: EpochRow, best: int) -> tuple[str, ...]:
    values = (row.train_loss, row.train_accuracy, row.val_loss, row.val_accuracy, row.val_dice)
    return (
        f"{'★ ' if row.epoch == best else ''}{row.epoch}",
        *(_number(value, ".4f") for value in values),
        _number(row.learning_rate, ".2g"),
        "–" if math.isnan(row.seconds) else duration_text(row.seconds),
    )


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)
