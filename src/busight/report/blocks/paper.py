"""The paper's figures beside ours."""

from __future__ import annotations

from busight.report.blocks.model import Block, Gallery, Paragraph, Section, Table
from busight.report.blocks.scores_table import find_score, metric_name, score_text
from busight.report.paper import PAPER_CLASSES, PAPER_HISTORY, PAPER_TEXT, paper_scores
from busight.results.run_record import History, RunRecord

_ORDER = (
    ("accuracy", "overall"),
    ("balanced_accuracy", "overall"),
    *((metric, name) for name in PAPER_CLASSES for metric in ("precision", "sensitivity", "f1")),
)


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section | None:
    """Return scores, matrices and epochs side by side; None where the task or the data are not the paper's."""
    if not record.paper_comparison:
        return None
    intro = (
        "Panchal and others (2024) report three epochs of a fine-tuned ResNet101 on BUSI, tested on 117 images. Their "
        "matrix gives 114 of 117 = 97.4 %; their abstract and conclusion say 99 %, and their text a malignant recall "
        "of 1.00 where the matrix has 29 of 31. They are silent on near-duplicates, seeds and intervals."
    )
    blocks: list[Block] = [Paragraph(intro), _scores(record), pictures["paper"]]
    ours = next((history for history in record.histories if history.network == "classifier" and history.rows), None)
    if ours:
        blocks.append(_epochs(ours))
    return Section("paper", "The paper’s figures beside ours", tuple(blocks))


def _scores(record: RunRecord) -> Table:
    theirs = paper_scores()
    rows = tuple(
        (
            metric_name(metric) if of == "overall" else f"{metric_name(metric)}, {of}",
            score_text(find_score(record.sheet, metric, of), record.sheet),
            f"{theirs[metric, of]:.3f}",
            PAPER_TEXT.get((metric, of), "–"),
        )
        for metric, of in _ORDER
    )
    header = ("score", "this run", "paper, by its matrix", "paper, by its text")
    return Table("Scores: this run with intervals, the paper without", header, rows, numeric=(1, 2, 3))


def _epochs(ours: History) -> Table:
    own = {row.epoch: row for row in ours.rows}
    rows = []
    for theirs in PAPER_HISTORY.rows:
        line = [str(theirs.epoch)]
        for name in ("train_accuracy", "train_loss", "val_accuracy", "val_loss"):
            form = ".2%" if name.endswith("accuracy") else ".4f"
            mine = own.get(theirs.epoch)
            line += [format(getattr(theirs, name), form), format(getattr(mine, name), form) if mine else "–"]
        rows.append(tuple(line))
    columns = ("train acc.", "train loss", "val. acc.", "val. loss")
    header = ("epoch", *(f"{column}, {who}" for column in columns for who in ("paper", "ours")))
    return Table("The paper’s three epochs and our first three", header, tuple(rows), numeric=tuple(range(9)))
