"""Catalogue of a report's figures, by family, in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Callable

from busight.report.figures import (
    activation,
    class_counts,
    classification_report,
    confusion_matrix,
    decision_curve,
    fold_metrics,
    paper_beside,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
    sample_grid,
    segmentation_overlays,
    stages,
    target_prediction,
    training_curves,
)
from busight.report.render.figure_spec import FigureSpec
from busight.results.records import ResultRecord

FIGURES: dict[str, Callable[[ResultRecord], list[FigureSpec]]] = {
    "example cases": stages.figure_specs,
    "class counts": class_counts.figure_specs,
    "samples": sample_grid.figure_specs,
    "training": training_curves.figure_specs,
    "confusion": confusion_matrix.figure_specs,
    "classification report": classification_report.figure_specs,
    "folds": fold_metrics.figure_specs,
    "roc": roc.figure_specs,
    "precision-recall": precision_recall.figure_specs,
    "reliability": reliability.figure_specs,
    "risk and coverage": risk_coverage.figure_specs,
    "decision curve": decision_curve.figure_specs,
    "predictions": target_prediction.figure_specs,
    "segmentation": segmentation_overlays.figure_specs,
    "activation": activation.figure_specs,
    "paper": paper_beside.figure_specs,
}
"""From a family to its figures; a family that does not apply to a record has none."""
