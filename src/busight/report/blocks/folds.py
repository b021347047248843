"""Report section: the folds of a cross-validation, and the ensemble over its repeats."""

from __future__ import annotations

import math

from busight.report.blocks.metric_tables import estimate_text, metric_label
from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.report.text.headline import headline_names
from busight.results.records import CrossValidationRecord, FoldMetrics, ResultRecord


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section | None:
    """Return figure and table of the folds; None where nothing was cross-validated."""
    if not isinstance(record, CrossValidationRecord):
        return None
    columns = [(metric, of) for metric, of in headline_names(record.metrics) if record.metrics.find(metric, of)]
    header = ("repeat", "fold", "images", *(metric_label(metric, of) for metric, of in columns))
    rows = tuple(
        (str(fold.repeat), str(fold.fold), str(fold.metrics.n_images), *(_cell(fold, *column) for column in columns))
        for fold in record.folds
    )
    note = (
        "The metrics above are computed over all images of a repeat together and averaged over the repeats; their "
        "intervals resample groups of images and repeats. A single fold has few cases, so its metrics scatter."
    )
    table = Table("Metrics of every fold", header, rows, numeric=tuple(range(len(header))), folded=len(rows) > 10)
    return Section("folds", "Fold by fold", (Paragraph(note), figures["folds"], table, *_ensemble(record)))


def _ensemble(record: CrossValidationRecord) -> tuple[Block, ...]:
    if record.ensemble is None:
        return ()
    n_networks = max(fold.repeat for fold in record.folds)
    note = (
        f"In each repeat another network was tested on an image; none of the {n_networks} was trained on its group. "
        "The mean of their predictions is an ensemble of that many networks, and its metrics are as unbiased as "
        "those above."
    )
    rows = tuple(
        (metric_label(metric, of), estimate_text(single, record.metrics), estimate_text(joint, record.ensemble))
        for metric, of in headline_names(record.metrics)
        if (single := record.metrics.find(metric, of)) and (joint := record.ensemble.find(metric, of))
    )
    title = f"Ensemble of {n_networks} networks"
    return Paragraph(note), Table(title, ("metric", "one network", "ensemble"), rows, numeric=(1, 2))


def _cell(fold: FoldMetrics, metric: str, of: str) -> str:
    estimate = fold.metrics.find(metric, of)
    return "–" if estimate is None or math.isnan(estimate.value) else f"{estimate.value:.3f}"
