"""Report section: the paper's results beside this run's."""

from __future__ import annotations

from busight.report.blocks.metric_tables import estimate_text, metric_label
from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.report.paper import (
    PAPER_CLASSES,
    PAPER_HISTORY,
    PAPER_TEXT,
    classifier_history,
    is_comparable,
    paper_metrics,
)
from busight.results.history import History
from busight.results.records import ResultRecord

_ORDER = (
    ("accuracy", "overall"),
    ("balanced_accuracy", "overall"),
    *((metric, name) for name in PAPER_CLASSES for metric in ("precision", "sensitivity", "f1")),
)


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section | None:
    """Return metrics, matrices and epochs side by side; None where the task or the data are not the paper's."""
    if not is_comparable(record):
        return None
    intro = (
        "Panchal and others (2024) report three epochs of a fine-tuned ResNet101 on BUSI, tested on 117 images. Their "
        "matrix gives 114 of 117 = 97.4 %; their abstract and conclusion say 99 %, and their text a malignant recall "
        "of 1.00 where the matrix has 29 of 31. They report no near-duplicates, seeds or intervals."
    )
    blocks: list[Block] = [Paragraph(intro), _metrics(record), figures["paper"]]
    history = classifier_history(record)
    if history:
        blocks.append(_epochs(history))
    return Section("paper", "The paper’s results beside this run’s", tuple(blocks))


def _metrics(record: ResultRecord) -> Table:
    of_paper = paper_metrics()
    rows = tuple(
        (
            metric_label(metric, of),
            estimate_text(record.metrics.find(metric, of), record.metrics),
            f"{of_paper[metric, of]:.3f}",
            PAPER_TEXT.get((metric, of), "–"),
        )
        for metric, of in _ORDER
    )
    header = ("metric", "this run", "paper, by its matrix", "paper, by its text")
    return Table("Metrics: this run with intervals, the paper without", header, rows, numeric=(1, 2, 3))


def _epochs(history: History) -> Table:
    row_of_epoch = {row.epoch: row for row in history.rows}
    rows = []
    for of_paper in PAPER_HISTORY.rows:
        cells = [str(of_paper.epoch)]
        for name in ("train_accuracy", "train_loss", "val_accuracy", "val_loss"):
            form = ".2%" if name.endswith("accuracy") else ".4f"
            row = row_of_epoch.get(of_paper.epoch)
            cells += [format(getattr(of_paper, name), form), format(getattr(row, name), form) if row else "–"]
        rows.append(tuple(cells))
    columns = ("train acc.", "train loss", "val. acc.", "val. loss")
    header = ("epoch", *(f"{column}, {whose}" for column in columns for whose in ("paper", "this run")))
    return Table("The first three epochs", header, tuple(rows), numeric=tuple(range(9)))
