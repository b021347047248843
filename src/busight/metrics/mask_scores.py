"""Scores of one predicted mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from busight.errors import DataError
from busight.metrics.detection import detect
from busight.metrics.overlap import area_fraction, dice, iou, pixel_precision, pixel_recall
from busight.metrics.surface import assd, hd95
from busight.types import FloatArray, Mask


@dataclass(frozen=True, slots=True)
class MaskScores:
    """The scores of one image's mask; NaN where they are undefined.

    Overlap, distances and true positives are defined on images with an annotated lesion. Where nothing is predicted on
    one, there is no outline: a distance is undefined, or, ``with_misses``, the image's diagonal. On images known to
    have no lesion, only false positives and their area are defined. Without an annotated mask only the predicted area
    is known; without segmentation, nothing.

    Attributes:
        dice: 2 |A ∩ B| / (|A| + |B|), 0–1; 0 where nothing is predicted.
        iou: |A ∩ B| / |A ∪ B|, 0–1; 0 where nothing is predicted.
        pixel_recall: Share of the annotated pixels that were predicted, 0–1.
        pixel_precision: Share of the predicted pixels that are annotated, 0–1; NaN where nothing is predicted.
        hd95_px: 95 % Hausdorff distance of the outlines in pixels.
        assd_px: Average symmetric surface distance in pixels.
        hd95_mm: In mm; NaN too where the pixel spacing is not known.
        assd_mm: In mm; NaN too where the pixel spacing is not known.
        hd95_px_with_misses: As `hd95_px`; the image's diagonal where nothing is predicted.
        assd_px_with_misses: As `assd_px`; likewise.
        hd95_mm_with_misses: As `hd95_mm`; the diagonal in mm.
        assd_mm_with_misses: As `assd_mm`; likewise.
        lesions_annotated: Connected annotated regions.
        lesion_true_positives: Annotated regions matched with a predicted region of IoU 0.5 or more.
        lesion_false_positives: Connected predicted regions that are not matched.
        annotated_area_fraction: Annotated lesion's share of the image, 0–1.
        predicted_area_fraction: Predicted lesion's share of the image, 0–1.
    """

    dice: float = float("nan")
    iou: float = float("nan")
    pixel_recall: float = float("nan")
    pixel_precision: float = float("nan")
    hd95_px: float = float("nan")
    assd_px: float = float("nan")
    hd95_mm: float = float("nan")
    assd_mm: float = float("nan")
    hd95_px_with_misses: float = float("nan")
    assd_px_with_misses: float = float("nan")
    hd95_mm_with_misses: float = float("nan")
    assd_mm_with_misses: float = float("nan")
    lesions_annotated: float = float("nan")
    lesion_true_positives: float = float("nan")
    lesion_false_positives: float = float("nan")
    annotated_area_fraction: float = float("nan")
    predicted_area_fraction: float = float("nan")

    @property
    def values(self) -> tuple[float, ...]:
        """All scores in the order of `MASK_SCORES`."""
        return astuple(self)


MASK_SCORES = tuple(field.name for field in fields(MaskScores))
"""The names of the scores, in order."""


def stack_mask_scores(scores: Sequence[MaskScores]) -> dict[str, FloatArray]:
    """Return the scores of N masks by name, float64 (N,) each."""
    rows = np.array([of_mask.values for of_mask in scores], dtype=np.float64).reshape(-1, len(MASK_SCORES))
    return dict(zip(MASK_SCORES, rows.T, strict=True))


def score_mask(
    predicted: Mask | None, annotated: Mask | None, spacing_mm: tuple[float, float] | None = None
) -> MaskScores:
    """Compute the scores of a predicted mask against an annotated one.

    Args:
        predicted: bool HW; None without segmentation.
        annotated: bool HW of the same size, empty where it is known that there is no lesion; None without an
            annotation.
        spacing_mm: Distance between rows and between columns in mm, or None.

    Raises:
        DataError: A mask is not bool HW, the sizes differ, or a spacing is not above 0 and finite.
    """
    if spacing_mm is not None and not all(0 < side < math.inf for side in spacing_mm):
        raise DataError(f"spacing {spacing_mm} mm: both distances are above 0 and finite")
    areas = {
        "annotated_area_fraction": float("nan") if annotated is None else area_fraction(annotated),
        "predicted_area_fraction": float("nan") if predicted is None else area_fraction(predicted),
    }
    if predicted is None or annotated is None:
        return MaskScores(**areas)
    detection = detect(predicted, annotated)
    if not annotated.any():
        return MaskScores(lesion_false_positives=float(detection.false_positives), **areas)
    distances = _distances(predicted, annotated, "px", (1.0, 1.0))
    if spacing_mm is not None:
        distances |= _distances(predicted, annotated, "mm", spacing_mm)
    return MaskScores(
        dice=dice(predicted, annotated),
        iou=iou(predicted, annotated),
        pixel_recall=pixel_recall(predicted, annotated),
        pixel_precision=pixel_precision(predicted, annotated),
        lesions_annotated=float(detection.annotated),
        lesion_true_positives=float(detection.true_positives),
        lesion_false_positives=float(detection.false_positives),
        **distances,
        **areas,
    )


def _distances(predicted: Mask, annotated: Mask, unit: str, spacing: tuple[float, float]) -> dict[str, float]:
    """Return the distances of the outlines without and with misses, the pixels' height and width in a unit given."""
    diagonal = math.hypot(predicted.shape[0] * spacing[0], predicted.shape[1] * spacing[1])
    found: dict[str, float] = {}
    for name, distance in (("hd95", hd95), ("assd", assd)):
        value = distance(predicted, annotated, spacing)
        found[f"{name}_{unit}"] = value
        found[f"{name}_{unit}_with_misses"] = value if predicted.any() else diagonal
    return found
