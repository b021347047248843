"""Metrics of a segmentation, as a function of the weights of the images."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from busight.metrics.intervals import Kind, Measurand
from busight.metrics.ratio import ratio, weighted_mean
from busight.types import FloatArray

LESION_IMAGES, NORMAL_IMAGES, ANNOTATED_IMAGES = "lesion images", "normal images", "images with a known mask"

WITH_MISSES = "_with_misses"
"""What the name of a distance ends in where a missed lesion counts the image's diagonal."""

DISTANCES = tuple(
    f"{name}_{unit}{misses}" for unit in ("px", "mm") for misses in ("", WITH_MISSES) for name in ("hd95", "assd")
)

_MEANS_ON_LESIONS = (
    "dice",
    "iou",
    "pixel_recall",
    "pixel_precision",
    *DISTANCES,
)

_KINDS: dict[str, tuple[Kind, float]] = {
    **dict.fromkeys(DISTANCES, ("mean", math.inf)),
    "false_positives_per_image": ("count", math.inf),
    "specificity_image_level": ("proportion", 1.0),
    # No mask covers a whole image: half a group of such would say nothing about the rest.
    "fp_area_fraction": ("statistic", 1.0),
}


def mask_metrics(mask_scores: Mapping[str, FloatArray], weights: FloatArray) -> dict[tuple[str, str], FloatArray]:
    """Compute every metric of predicted masks.

    Args:
        mask_scores: Name of a score → float64 (N,), the fields of `MaskScores`.
        weights: float64 (..., N): how often each image counts.

    Returns:
        (metric, of) → float64 (...): means over the images that define a metric; ``lesion_sensitivity`` is the share of
        all annotated lesions that were hit. All metrics are always returned, NaN where no image defines one.
    """
    metrics = {name: weighted_mean(values, weights) for name, values in _values(mask_scores).items()}
    annotated, hits = (np.nan_to_num(mask_scores[name]) for name in ("lesions_annotated", "lesion_true_positives"))
    metrics["lesion_sensitivity", LESION_IMAGES] = ratio(weights @ hits, weights @ annotated)
    return metrics


def mask_measurands(mask_scores: Mapping[str, FloatArray]) -> dict[tuple[str, str], Measurand]:
    """Return what each metric of `mask_metrics` measures, and on which images."""
    measurands: dict[tuple[str, str], Measurand] = {}
    for name, values in _values(mask_scores).items():
        kind, upper = _KINDS.get(name[0], ("mean", 1.0))
        measurands[name] = Measurand(kind, 0.0, upper, (~np.isnan(values),))
    sides = (np.nan_to_num(mask_scores["lesions_annotated"]) > 0,)
    return measurands | {("lesion_sensitivity", LESION_IMAGES): Measurand("proportion", 0.0, 1.0, sides)}


def _values(mask_scores: Mapping[str, FloatArray]) -> dict[tuple[str, str], FloatArray]:
    """Return values per image, NaN on images that do not define the metric."""
    values = {(metric, LESION_IMAGES): mask_scores[metric] for metric in _MEANS_ON_LESIONS}
    normal = mask_scores["annotated_area_fraction"] == 0
    false_area = np.where(normal, mask_scores["predicted_area_fraction"], np.nan)
    values["false_positives_per_image", ANNOTATED_IMAGES] = mask_scores["lesion_false_positives"]
    values["specificity_image_level", NORMAL_IMAGES] = np.where(np.isnan(false_area), np.nan, false_area == 0)
    values["fp_area_fraction", NORMAL_IMAGES] = false_area
    return values
