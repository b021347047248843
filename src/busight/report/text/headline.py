"""Headline metrics: the few that a command prints at its end."""

from __future__ import annotations

from typing import Protocol

from busight.metrics.table import MetricTable
from busight.report.blocks.metric_tables import estimate_text, metric_label


class Classified(Protocol):
    """Metrics of a task with its classes: a table, or the comparison of two."""

    @property
    def positive(self) -> str | None:
        """The positive class."""

    @property
    def lesion_comparison(self) -> str | None:
        """Name of the subset of lesion images."""


def headline_names(of_task: Classified) -> tuple[tuple[str, str], ...]:
    """Return the headline metrics of a task, as (metric, of)."""
    names = [("accuracy", "overall"), ("balanced_accuracy", "overall"), ("auroc", "macro")]
    positive, lesions = of_task.positive, of_task.lesion_comparison
    if positive is not None:
        names.append(("auroc", positive))
    if lesions is not None:
        names.append(("auroc", lesions))
    if positive is not None:
        at_threshold = ("sensitivity", "specificity", "operating_sensitivity", "operating_specificity")
        names += [(metric, positive) for metric in at_threshold]
    return (*names, ("dice", "lesion images"))


def headline(metrics: MetricTable) -> list[str]:
    """Return one line per metric with its interval; metrics that the task does not have are left out."""
    lines = [f"test images: {metrics.n_images} in {metrics.n_groups} groups"]
    for metric, of in headline_names(metrics):
        estimate = metrics.find(metric, of)
        if estimate is not None:
            lines.append(f"{metric_label(metric, of)}: {estimate_text(estimate, metrics)}")
    return lines
