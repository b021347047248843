"""Every figure of a report, by family, in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Callable

from busight.report.figures import (
    activation,
    actual_predicted,
    class_counts,
    confusion_matrix,
    decision_curve,
    fold_scores,
    paper_beside,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
    sample_grid,
    score_heat_map,
    segmentation_overlays,
    training_curves,
    walk,
)
from busight.report.render.plate import Plate
from busight.results.run_record import RunRecord

FAMILIES: dict[str, Callable[[RunRecord], list[Plate]]] = {
    "walks": walk.plates,
    "class counts": class_counts.plates,
    "samples": sample_grid.plates,
    "training": training_curves.plates,
    "confusion": confusion_matrix.plates,
    "classification report": score_heat_map.plates,
    "folds": fold_scores.plates,
    "roc": roc.plates,
    "precision-recall": precision_recall.plates,
    "reliability": reliability.plates,
    "risk and coverage": risk_coverage.plates,
    "decision curve": decision_curve.plates,
    "predictions": actual_predicted.plates,
    "segmentation": segmentation_overlays.plates,
    "activation": activation.plates,
    "paper": paper_beside.plates,
}
"""From a family's name to what makes its figures; a family without material for a record returns none."""
