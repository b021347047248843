"""Headline metrics: the few that a command prints when it is done."""

from __future__ import annotations

from busight.metrics.compute import MALIGNANT_VS_BENIGN
from busight.metrics.table import MetricTable
from busight.report.blocks.metric_tables import estimate_text, metric_label

HEADLINE = (
    ("accuracy", "overall"),
    ("balanced_accuracy", "overall"),
    ("auroc", "macro"),
    ("auroc", "malignant"),
    ("auroc", MALIGNANT_VS_BENIGN),
    ("sensitivity", "malignant"),
    ("specificity", "malignant"),
    ("operating_sensitivity", "malignant"),
    ("operating_specificity", "malignant"),
    ("dice", "lesion images"),
)
"""The headline metrics, as (metric, of)."""


def headline(metrics: MetricTable) -> list[str]:
    """Return one line a metric with its interval; metrics that the task does not have are left out."""
    lines = [f"test images: {metrics.n_images} in {metrics.n_groups} groups"]
    for metric, of in HEADLINE:
        estimate = metrics.find(metric, of)
        if estimate is not None:
            lines.append(f"{metric_label(metric, of)}: {estimate_text(estimate, metrics)}")
    return lines
