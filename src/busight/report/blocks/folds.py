"""What each fold of a cross-validation scored by itself."""

from __future__ import annotations

import math

from busight.report.blocks.model import Block, Gallery, Paragraph, Section, Table
from busight.report.blocks.scores_table import find_score, score_name, score_text
from busight.report.text.headline import HEADLINE
from busight.results.run_record import FoldScores, RunRecord


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section | None:
    """Return figure and table of the folds; None where nothing was cross-validated."""
    if not record.folds:
        return None
    shown = [(metric, of) for metric, of in HEADLINE if find_score(record.sheet, metric, of)]
    header = ("repeat", "fold", "images", *(score_name(metric, of) for metric, of in shown))
    rows = tuple(
        (str(fold.repeat), str(fold.fold), str(fold.sheet.n_images), *(_cell(fold, *which) for which in shown))
        for fold in record.folds
    )
    told = (
        "The scores above are taken over all images of a repeat together and averaged over the repeats; their "
        "intervals draw groups of images and repeats. A fold alone holds few cases, so its scores scatter."
    )
    table = Table("Every fold by itself", header, rows, numeric=tuple(range(len(header))), folded=len(rows) > 10)
    return Section("folds", "Fold by fold", (Paragraph(told), pictures["folds"], table, *_together(record)))


def _together(record: RunRecord) -> tuple[Block, ...]:
    if record.together is None:
        return ()
    networks = max(fold.repeat for fold in record.folds)
    told = (
        f"In each repeat another network was tested on an image; none of the {networks} saw its group. The mean of "
        "what they say is an ensemble of that many networks, and its scores are as honest as those above."
    )
    rows = tuple(
        (score_name(metric, of), score_text(alone, record.sheet), score_text(joint, record.together))
        for metric, of in HEADLINE
        if (alone := find_score(record.sheet, metric, of)) and (joint := find_score(record.together, metric, of))
    )
    title = f"{networks} networks together"
    return Paragraph(told), Table(title, ("score", "one network", "together"), rows, numeric=(1, 2))


def _cell(fold: FoldScores, metric: str, of: str) -> str:
    score = find_score(fold.sheet, metric, of)
    return "–" if score is None or math.isnan(score.value) else f"{score.value:.3f}"
