"""The figures of a segmentation, as a function of how often each image counts."""

from __future__ import annotations

import numpy as np

from busight.metrics.mask_scores import MASK_SCORES
from busight.metrics.ratio import ratio, weighted_mean
from busight.types import FloatArray

LESIONS, NORMALS, DRAWN = "lesion images", "normal images", "images with a known mask"

_ON_LESIONS = (
    "dice",
    "iou",
    "pixel_sensitivity",
    "pixel_precision",
    "hausdorff_95_px",
    "surface_distance_px",
    "hausdorff_95_mm",
    "surface_distance_mm",
)


def mask_figures(masks: FloatArray, weights: FloatArray) -> dict[tuple[str, str], FloatArray]:
    """Compute every figure of the masks.

    Args:
        masks: float64 (N, M), the scores of each image's mask in the order of `MASK_SCORES`.
        weights: float64 (..., N): how often each image counts.

    Returns:
        (metric, of) → float64 (...): means over the images that a figure speaks of; ``lesion_sensitivity`` is the share
        of all drawn lesions that were found. The figures are the same whatever is known: NaN where nothing defines one.
    """
    found = {name: weighted_mean(values, weights) for name, values in _values(masks).items()}
    drawn, hit = (np.nan_to_num(_column(masks, name)) for name in ("lesions_drawn", "lesions_found"))
    found["lesion_sensitivity", LESIONS] = ratio(weights @ hit, weights @ drawn)
    return found


def counted_masks(masks: FloatArray) -> dict[tuple[str, str], int]:
    """Count the images behind each figure of `mask_figures`."""
    counted = {name: int((~np.isnan(values)).sum()) for name, values in _values(masks).items()}
    counted["lesion_sensitivity", LESIONS] = int((_column(masks, "lesions_drawn") > 0).sum())
    return counted


def _values(masks: FloatArray) -> dict[tuple[str, str], FloatArray]:
    """Return values per image, NaN on images that the figure does not speak of."""
    values = {(metric, LESIONS): _column(masks, metric) for metric in _ON_LESIONS}
    share = np.where(_column(masks, "true_area_share") == 0, _column(masks, "predicted_area_share"), np.nan)
    values["false_marks", DRAWN] = _column(masks, "false_marks")
    values["unmarked", NORMALS] = np.where(np.isnan(share), np.nan, share == 0)
    values["false_positive_area_share", NORMALS] = share
    return values


def _column(masks: FloatArray, name: str) -> FloatArray:
    return np.asarray(masks[:, MASK_SCORES.index(name)])
