"""Scores of one predicted mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from busight.metrics.detection import detect
from busight.metrics.overlap import area_fraction, dice, iou, pixel_precision, pixel_recall
from busight.metrics.surface import assd, hd95
from busight.types import FloatArray, Mask


@dataclass(frozen=True, slots=True)
class MaskScores:
    """The scores of one image's mask; NaN where they are undefined.

    Overlap, distances and true positives are defined on images with an annotated lesion (distances only where something
    is predicted). On images known to have none, only false positives and their area are. Without an annotated mask only
    the predicted area is known; without segmentation, nothing.

    Attributes:
        dice: 2 |A ∩ B| / (|A| + |B|), 0–1; 0 where nothing is predicted.
        iou: |A ∩ B| / |A ∪ B|, 0–1; 0 where nothing is predicted.
        pixel_recall: Share of the annotated pixels that were predicted, 0–1.
        pixel_precision: Share of the predicted pixels that are annotated, 0–1; NaN where nothing is predicted.
        hd95_px: 95 % Hausdorff distance of the outlines in pixels.
        assd_px: Average symmetric surface distance in pixels.
        hd95_mm: In mm; NaN too where the pixel spacing is not known.
        assd_mm: In mm; NaN too where the pixel spacing is not known.
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
        DataError: A mask is not bool HW, or the sizes differ.
    """
    areas = {
        "annotated_area_fraction": float("nan") if annotated is None else area_fraction(annotated),
        "predicted_area_fraction": float("nan") if predicted is None else area_fraction(predicted),
    }
    if predicted is None or annotated is None:
        return MaskScores(**areas)
    detection = detect(predicted, annotated)
    if not annotated.any():
        return MaskScores(lesion_false_positives=float(detection.false_positives), **areas)
    in_mm = {}
    if spacing_mm is not None:
        in_mm["hd95_mm"] = hd95(predicted, annotated, spacing_mm)
        in_mm["assd_mm"] = assd(predicted, annotated, spacing_mm)
    return MaskScores(
        dice=dice(predicted, annotated),
        iou=iou(predicted, annotated),
        pixel_recall=pixel_recall(predicted, annotated),
        pixel_precision=pixel_precision(predicted, annotated),
        hd95_px=hd95(predicted, annotated),
        assd_px=assd(predicted, annotated),
        lesions_annotated=float(detection.annotated),
        lesion_true_positives=float(detection.true_positives),
        lesion_false_positives=float(detection.false_positives),
        **in_mm,
        **areas,
    )
