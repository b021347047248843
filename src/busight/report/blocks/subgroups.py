"""Scores by device, BI-RADS category, histology, lesion size and marks."""

from __future__ import annotations

import math

from busight.metrics.compute import AMONG_LESIONS
from busight.metrics.subgroups import FEW, Subgroup
from busight.report.blocks.model import Block, Gallery, Paragraph, Section, Table
from busight.report.blocks.scores_table import find_score, score_name, score_text
from busight.results.run_record import RunRecord

_COLUMNS = (
    ("accuracy", "overall"),
    ("auroc", AMONG_LESIONS),
    ("sensitivity", "malignant"),
    ("specificity", "malignant"),
    ("dice", "lesion images"),
)


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section | None:
    """Return one table a fact; None where nothing is known of the cases."""
    if not record.subgroups:
        return None
    told = (
        "A model can be good on the whole and bad on some. Subgroups are not independent experiments: among many, one "
        "looks worse by chance. A dash: the score is undefined, most often for want of a class."
    )
    blocks: list[Block] = [Paragraph(told)]
    if any(one.few for one in record.subgroups):
        blocks.append(Paragraph(f"* fewer than {FEW} images: nothing can be concluded from this line.", "warning"))
    for fact in dict.fromkeys(one.fact for one in record.subgroups):
        blocks.append(_table(fact, [one for one in record.subgroups if one.fact == fact]))
    return Section("subgroups", "Subgroups", tuple(blocks))


def _table(fact: str, groups: list[Subgroup]) -> Table:
    shown = [which for which in _COLUMNS if any(find_score(one.sheet, *which) for one in groups)]
    header = (fact, "images", *(score_name(metric, of) for metric, of in shown))
    rows = tuple(
        (
            f"{one.value} *" if one.few else one.value,
            str(one.sheet.n_images),
            *(_cell(one, *which) for which in shown),
        )
        for one in groups
    )
    numeric = tuple(range(1, len(header)))
    return Table(f"By {fact}", header, rows, numeric, folded=len(rows) > 12)


def _cell(one: Subgroup, metric: str, of: str) -> str:
    """A dash where the subgroup lacks what the score needs: most often one of the classes."""
    score = find_score(one.sheet, metric, of)
    if score is None or math.isnan(score.value):
        return "–"
    return f"{score.value:.3f}" if math.isnan(score.low) else score_text(score, one.sheet)
