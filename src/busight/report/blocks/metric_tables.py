"""Metrics as text and as tables: a value with its interval, and the reason where there is none."""

from __future__ import annotations

import math

from busight.metrics.intervals import MIN_GROUPS
from busight.metrics.segmentation import DISTANCES, LESION_IMAGES, WITH_MISSES
from busight.metrics.table import MetricEstimate, MetricTable
from busight.report.text.numbers import counted, interval_text

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "sensitivity": "Sensitivity (recall)",
    "recall": "Recall",
    "specificity": "Specificity",
    "operating_sensitivity": "Sensitivity at the threshold",
    "operating_specificity": "Specificity at the threshold",
    "class_coverage": "Empirical coverage",
    "mean_set_size": "Mean size of the prediction set",
    "singleton_rate": "Singleton rate",
    "rejection_rate": "Rejected as out of distribution",
    "f1": "F1",
    "auroc": "AUROC",
    "descriptor_auroc": "AUROC of the descriptor model",
    "average_precision": "Average precision",
    "kappa": "Cohen’s kappa",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "log_loss": "Log-loss",
    "ece": "Calibration error (ECE)",
    "dice": "Dice",
    "iou": "IoU",
    "pixel_recall": "Pixel recall",
    "pixel_precision": "Pixel precision",
    "hd95_px": "Hausdorff distance (95 %), pixels",
    "assd_px": "Average surface distance, pixels",
    "hd95_mm": "Hausdorff distance (95 %), mm",
    "assd_mm": "Average surface distance, mm",
    "hd95_px_with_misses": "Hausdorff distance (95 %), a miss counts the diagonal, pixels",
    "assd_px_with_misses": "Average surface distance, a miss counts the diagonal, pixels",
    "hd95_mm_with_misses": "Hausdorff distance (95 %), a miss counts the diagonal, mm",
    "assd_mm_with_misses": "Average surface distance, a miss counts the diagonal, mm",
    "lesion_sensitivity": "Lesion sensitivity (IoU of 0.5 or more)",
    "false_positives_per_image": "False positives per image",
    "specificity_image_level": "Image-level specificity",
    "fp_area_fraction": "False-positive area",
}
"""Names in reports; a metric that is not listed is shown by its own name."""

LOWER_IS_BETTER = frozenset(
    {
        "brier",
        "log_loss",
        "ece",
        "mean_set_size",
        "rejection_rate",
        *DISTANCES,
        "false_positives_per_image",
        "fp_area_fraction",
    }
)


def metric_name(metric: str) -> str:
    """Return the name of a metric in reports.

    Example:
        >>> metric_name("f1"), metric_name("youden_index")
        ('F1', 'Youden index')
    """
    return METRIC_NAMES.get(metric) or metric.replace("_", " ").capitalize()


def metric_label(metric: str, of: str) -> str:
    """Return the name of a metric with its class or subset, unless that is overall.

    Example:
        >>> metric_label("auroc", "malignant"), metric_label("accuracy", "overall"), metric_label("dice", LESION_IMAGES)
        ('AUROC, malignant', 'Accuracy', 'Dice')
    """
    return metric_name(metric) if of in ("overall", LESION_IMAGES) else f"{metric_name(metric)}, {of}"


def estimate_text(estimate: MetricEstimate | None, table: MetricTable) -> str:
    """Return ``"0.874 (0.812–0.921)"``, or ``"undefined: reason"``, or a dash where the table holds no such metric.

    Example:
        >>> from busight.metrics.table import MetricRows
        >>> table = MetricTable(("a", "b"), "b", None, 4, 4, (4, 0), ((3, 1), (0, 0)), MetricRows(), 100, 0.95, 0)
        >>> estimate_text(MetricEstimate("accuracy", "overall", 0.75, 0.5, 1.0, 20, 20), table)
        '0.750 (0.500–1.000)'
        >>> estimate_text(MetricEstimate("sensitivity", "b", math.nan, math.nan, math.nan, 0, 0), table)
        'undefined: no test case of b'
    """
    if estimate is None:
        return "–"
    if math.isnan(estimate.value):
        return f"undefined: {undefined_reason(estimate, table)}"
    return f"{estimate.value:.3f} ({estimate_interval(estimate)})"


def estimate_interval(estimate: MetricEstimate) -> str:
    """Return ``"0.812–0.921"``, or why there is no interval."""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        few = estimate.n_groups < MIN_GROUPS
        return f"no interval: {counted(estimate.n_groups, 'group')}" if few else "no interval: all cases alike"
    return interval_text(estimate.low, estimate.high)


def undefined_reason(estimate: MetricEstimate, table: MetricTable) -> str:
    """Return why a metric is NaN, as far as the table determines it."""
    missing = [name for name, count in zip(table.classes, table.support, strict=True) if count == 0]
    support = dict(zip(table.classes, table.support, strict=True))
    of, metric = estimate.of, estimate.metric
    if of in missing or (missing and of == "macro"):
        return "no test case of " + ", ".join(missing if of == "macro" else [of])
    if of in support and support[of] == table.n_images and metric in ("auroc", "specificity"):
        return "no test case of another class"
    if of in support and metric == "precision":
        return "never predicted"
    if of == "macro" and metric == "precision":
        return "a class was never predicted"
    if estimate.n == 0:
        return "no case it can be measured on"
    return "not defined for these cases"


def overall_rows(table: MetricTable) -> list[tuple[str, str, str]]:
    """Return (metric, value with interval, images) of every metric of all cases together."""
    return [(_arrowed(row.metric), estimate_text(row, table), str(row.n)) for row in table.rows if row.of == "overall"]


def class_rows(table: MetricTable) -> tuple[list[str], list[list[str]]]:
    """Return the header and one row for each metric of a class; classes and averages are the columns."""
    averages = [of for of in ("macro", "weighted") if any(row.of == of for row in table.rows)]
    metrics = dict.fromkeys(row.metric for row in table.rows if row.of in table.classes)
    columns = [*table.classes, *averages]
    support = dict(zip(table.classes, table.support, strict=True))
    rows = [["Images", *(str(support.get(of, table.n_images)) for of in columns)]]
    for metric in metrics:
        rows.append([_arrowed(metric), *(estimate_text(table.find(metric, of), table) for of in columns)])
    return ["metric", *columns], rows


def subset_rows(table: MetricTable) -> list[tuple[str, str, str, str]]:
    """Return (metric, subset, value with interval, images) of every other metric: mostly the segmentation's.

    Distances in mm are left out where no image's spacing is known. A distance that is undefined on missed lesions says
    how many it leaves out.
    """
    elsewhere = {"overall", "macro", "weighted", *table.classes}
    return [
        (_arrowed(row.metric), row.of, estimate_text(row, table) + _left_out(row, table), str(row.n))
        for row in table.rows
        if row.of not in elsewhere and (row.n or "_mm" not in row.metric)
    ]


def _left_out(row: MetricEstimate, table: MetricTable) -> str:
    """Return ``"; 12 of 97 missed, left out"`` of a distance without the missed lesions, else nothing."""
    with_misses = table.find(row.metric + WITH_MISSES, row.of)
    if with_misses is None or with_misses.n == row.n:
        return ""
    return f"; {with_misses.n - row.n} of {with_misses.n} missed, left out"


def resampling_note(table: MetricTable) -> str:
    """Return the sentences on what the intervals are."""
    return (
        f"Intervals have a level of {table.level:.0%} and rest on {table.resamples} bootstrap resamples of "
        f"{table.n_groups} groups (patients and near-duplicate images stay together; seed {table.seed}). Those of "
        "proportions are exact (Clopper and Pearson) on the effective number of independent images (Korn and "
        "Graubard); the others are t intervals, on the logit scale where the metric has bounds. Where fewer than "
        f"{MIN_GROUPS} groups are behind a metric, there is none, or, for a proportion, a group counts as one image. "
        "Those of the log-loss and of the calibration error are too narrow where confident errors are rare."
    )


def undefined_resample_rows(table: MetricTable) -> list[tuple[str, str, str]]:
    """Return (metric, of, resamples left out) of every metric that was undefined in some resample."""
    return [
        (metric_name(row.metric), row.of, f"{row.undefined_resamples} of {table.resamples}")
        for row in table.rows
        if row.undefined_resamples
    ]


def _arrowed(metric: str) -> str:
    return f"{metric_name(metric)} ↓" if metric in LOWER_IS_BETTER else metric_name(metric)
