"""Scores as text: a value with its interval, and the reason where there is none."""

from __future__ import annotations

import math

from busight.metrics.table import Score, ScoreSheet

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "sensitivity": "Sensitivity (recall)",
    "recall": "Recall",
    "specificity": "Specificity",
    "operating_sensitivity": "Sensitivity at the operating point",
    "operating_specificity": "Specificity at the operating point",
    "set_coverage": "Held by the prediction set",
    "set_size": "Classes in the prediction set",
    "one_in_set": "Sets of a single class",
    "refused": "Images refused",
    "f1": "F1",
    "auroc": "AUROC",
    "second_reader_auroc": "AUROC of the second reader alone",
    "average_precision": "Average precision",
    "kappa": "Cohen’s kappa",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "log_loss": "Log-loss",
    "ece": "Calibration error (ECE)",
    "dice": "Dice",
    "iou": "IoU",
    "pixel_sensitivity": "Share of the drawn lesion that was marked",
    "pixel_precision": "Share of the mark that is drawn",
    "hausdorff_95_px": "Hausdorff distance (95 %), pixels",
    "surface_distance_px": "Average surface distance, pixels",
    "hausdorff_95_mm": "Hausdorff distance (95 %), mm",
    "surface_distance_mm": "Average surface distance, mm",
    "lesion_sensitivity": "Lesions found (IoU of 0.5 or more)",
    "false_marks": "False marks an image",
    "unmarked": "Images without a mark",
    "false_positive_area_share": "Falsely marked share of the image",
}
"""Names for readers; a metric that is not listed is shown by its own name."""

LOWER_IS_BETTER = frozenset(
    {
        "brier",
        "log_loss",
        "ece",
        "set_size",
        "refused",
        "hausdorff_95_px",
        "surface_distance_px",
        "hausdorff_95_mm",
        "surface_distance_mm",
        "false_marks",
        "false_positive_area_share",
    }
)


def metric_name(metric: str) -> str:
    """Return a metric's name for readers.

    Example:
        >>> metric_name("f1"), metric_name("youden_index")
        ('F1', 'Youden index')
    """
    return METRIC_NAMES.get(metric) or metric.replace("_", " ").capitalize()


def score_name(metric: str, of: str) -> str:
    """Return a score's name for readers, with what it is of where that needs saying.

    Example:
        >>> score_name("auroc", "malignant"), score_name("accuracy", "overall"), score_name("dice", "lesion images")
        ('AUROC, malignant', 'Accuracy', 'Dice')
    """
    return metric_name(metric) if of in ("overall", "lesion images") else f"{metric_name(metric)}, {of}"


def find_score(sheet: ScoreSheet, metric: str, of: str) -> Score | None:
    """Return one score, or None where the sheet does not hold it."""
    return next((score for score in sheet.scores if score.metric == metric and score.of == of), None)


def score_text(score: Score | None, sheet: ScoreSheet) -> str:
    """Return ``"0.874 (0.812–0.921)"``, or ``"undefined: reason"``, or a dash where the sheet holds no such score.

    Example:
        >>> sheet = ScoreSheet(("a", "b"), 4, 4, (4, 0), ((3, 1), (0, 0)), (), 100, 0.95, 0)
        >>> score_text(Score("accuracy", "overall", 0.75, 0.5, 1.0, 4), sheet)
        '0.750 (0.500–1.000)'
        >>> score_text(Score("sensitivity", "b", math.nan, math.nan, math.nan, 0), sheet)
        'undefined: no test case of b'
    """
    if score is None:
        return "–"
    if math.isnan(score.value):
        return f"undefined: {undefined_reason(score, sheet)}"
    return f"{score.value:.3f} ({interval_text(score)})"


def interval_text(score: Score) -> str:
    """Return ``"0.812–0.921"``, or why there is no interval."""
    if math.isnan(score.low) or math.isnan(score.high):
        return "no interval: too few groups"
    # A negative end (kappa, MCC) would make "–-0.1" of a range dash.
    dash = " to " if score.low < 0 else "–"
    return f"{score.low:.3f}{dash}{score.high:.3f}".replace("-", "−")


def undefined_reason(score: Score, sheet: ScoreSheet) -> str:
    """Return why a score is NaN, as far as the sheet tells."""
    missing = [name for name, count in zip(sheet.classes, sheet.support, strict=True) if count == 0]
    support = dict(zip(sheet.classes, sheet.support, strict=True))
    if score.of in missing or (missing and score.of == "macro"):
        return "no test case of " + ", ".join(missing if score.of == "macro" else [score.of])
    if score.of in support and support[score.of] == sheet.n_images and score.metric in ("auroc", "specificity"):
        return "no test case of another class"
    if score.of in support and score.metric == "precision":
        return "never predicted"
    if score.of == "macro" and score.metric == "precision":
        return "a class was never predicted"
    if score.n == 0:
        return "no case it can be measured on"
    return "not defined for these cases"


def overall_rows(sheet: ScoreSheet) -> list[tuple[str, str, str]]:
    """Return (metric, value with interval, images) of every score of all cases together."""
    return [
        (_arrowed(score.metric), score_text(score, sheet), str(score.n))
        for score in sheet.scores
        if score.of == "overall"
    ]


def class_rows(sheet: ScoreSheet) -> tuple[list[str], list[list[str]]]:
    """Return the header and one row for each score that speaks of a class; classes and averages are the columns."""
    averages = [of for of in ("macro", "weighted") if any(score.of == of for score in sheet.scores)]
    metrics = dict.fromkeys(score.metric for score in sheet.scores if score.of in sheet.classes)
    columns = [*sheet.classes, *averages]
    support = dict(zip(sheet.classes, sheet.support, strict=True))
    rows = [["Images", *(str(support.get(of, sheet.n_images)) for of in columns)]]
    for metric in metrics:
        cells = (score_text(find_score(sheet, metric, of), sheet) for of in columns)
        rows.append([_arrowed(metric), *cells])
    return ["score", *columns], rows


def other_rows(sheet: ScoreSheet) -> list[tuple[str, str, str, str]]:
    """Return (metric, what it is of, value with interval, images) of every score left over: the segmentation's.

    Distances in mm are left out where no image's spacing is known.
    """
    told = {"overall", "macro", "weighted", *sheet.classes}
    return [
        (_arrowed(score.metric), score.of, score_text(score, sheet), str(score.n))
        for score in sheet.scores
        if score.of not in told and (score.n or not score.metric.endswith("_mm"))
    ]


def resampling_note(sheet: ScoreSheet) -> str:
    """Return the sentence that says what the intervals are, and which resamples were left out."""
    note = (
        f"Intervals hold {sheet.level:.0%} of {sheet.resamples} bootstrap resamples of {sheet.n_groups} groups "
        f"(patients and near-duplicate images stay together; seed {sheet.seed})."
    )
    note += " That of the calibration error is moved down by what resampling adds to it on average."
    if any(score.value == score.low == score.high for score in sheet.scores):
        note += (
            " Where low and high end agree, no resample ever differed; that is not certainty: without an error among n "
            "cases, the true error rate may still be about 3/n (the rule of three)."
        )
    return note


def left_out_rows(sheet: ScoreSheet) -> list[tuple[str, str, str]]:
    """Return (score, what it is of, resamples left out) of every score that was undefined in some resample."""
    return [
        (metric_name(score.metric), score.of, f"{score.undefined_resamples} of {sheet.resamples}")
        for score in sheet.scores
        if score.undefined_resamples
    ]


def _arrowed(metric: str) -> str:
    return f"{metric_name(metric)} ↓" if metric in LOWER_IS_BETTER else metric_name(metric)
