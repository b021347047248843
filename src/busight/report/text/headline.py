"""The few figures that a command prints when it is done."""

from __future__ import annotations

from busight.metrics.table import ScoreSheet
from busight.report.blocks.scores_table import find_score, score_name, score_text

HEADLINE = (
    ("accuracy", "overall"),
    ("balanced_accuracy", "overall"),
    ("auroc", "macro"),
    ("auroc", "malignant"),
    ("auroc", "malignant among lesions"),
    ("sensitivity", "malignant"),
    ("specificity", "malignant"),
    ("operating_sensitivity", "malignant"),
    ("operating_specificity", "malignant"),
    ("dice", "lesion images"),
)
"""The scores that say most, as (metric, of)."""


def headline(sheet: ScoreSheet) -> list[str]:
    """Return one line a figure with its interval; figures that the task does not have are left out."""
    lines = [f"test images: {sheet.n_images} in {sheet.n_groups} groups"]
    for metric, of in HEADLINE:
        score = find_score(sheet, metric, of)
        if score is not None:
            lines.append(f"{score_name(metric, of)}: {score_text(score, sheet)}")
    return lines
