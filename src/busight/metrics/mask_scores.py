"""Everything that one predicted mask is scored by."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from busight.metrics.detection import detect
from busight.metrics.overlap import area_share, dice, iou, share_found
from busight.metrics.surface import hausdorff_95, surface_distance
from busight.types import Mask


@dataclass(frozen=True, slots=True)
class MaskScores:
    """The scores of one image's mask; NaN where they are undefined.

    On images where a lesion is drawn: overlap, distances (NaN too where nothing is predicted) and found lesions. On
    images known to have none, only the marks and their area count. Where nobody drew a mask, only the predicted area
    is known; without segmentation, nothing.

    Attributes:
        dice: 2 |A ∩ B| / (|A| + |B|), 0–1; 0 where nothing is predicted.
        iou: |A ∩ B| / |A ∪ B|, 0–1; likewise.
        pixel_sensitivity: Share of the drawn lesion that was predicted, 0–1.
        pixel_precision: Share of the predicted lesion that is drawn, 0–1; NaN where nothing is predicted.
        hausdorff_95_px: 95 % Hausdorff distance of the outlines in pixels.
        surface_distance_px: Average symmetric surface distance in pixels.
        hausdorff_95_mm: In mm; NaN too where the pixel spacing is not known.
        surface_distance_mm: Likewise.
        lesions_drawn: Connected drawn regions.
        lesions_found: Those that a mark of their own meets with an IoU of 0.5 or more.
        false_marks: Connected predicted regions that found no lesion.
        true_area_share: Drawn lesion's share of the image, 0–1.
        predicted_area_share: Predicted lesion's share of the image, 0–1.
    """

    dice: float = float("nan")
    iou: float = float("nan")
    pixel_sensitivity: float = float("nan")
    pixel_precision: float = float("nan")
    hausdorff_95_px: float = float("nan")
    surface_distance_px: float = float("nan")
    hausdorff_95_mm: float = float("nan")
    surface_distance_mm: float = float("nan")
    lesions_drawn: float = float("nan")
    lesions_found: float = float("nan")
    false_marks: float = float("nan")
    true_area_share: float = float("nan")
    predicted_area_share: float = float("nan")

    @property
    def values(self) -> tuple[float, ...]:
        """All scores in the order of `MASK_SCORES`."""
        return astuple(self)


MASK_SCORES = tuple(field.name for field in fields(MaskScores))
"""The names of the scores, in order."""


def score_mask(predicted: Mask | None, drawn: Mask | None, spacing_mm: tuple[float, float] | None = None) -> MaskScores:
    """Score a predicted mask against a drawn one.

    Args:
        predicted: bool HW; None without segmentation.
        drawn: bool HW of the same size, empty where it is known that there is no lesion; None where nobody drew.
        spacing_mm: Distance between rows and between columns in mm, or None.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.
    """
    areas = {
        "true_area_share": float("nan") if drawn is None else area_share(drawn),
        "predicted_area_share": float("nan") if predicted is None else area_share(predicted),
    }
    if predicted is None or drawn is None:
        return MaskScores(**areas)
    marks = detect(predicted, drawn)
    if not drawn.any():
        return MaskScores(false_marks=float(marks.false_marks), **areas)
    in_mm = {}
    if spacing_mm is not None:
        in_mm["hausdorff_95_mm"] = hausdorff_95(predicted, drawn, spacing_mm)
        in_mm["surface_distance_mm"] = surface_distance(predicted, drawn, spacing_mm)
    return MaskScores(
        dice=dice(predicted, drawn),
        iou=iou(predicted, drawn),
        pixel_sensitivity=share_found(drawn, predicted),
        pixel_precision=share_found(predicted, drawn),
        hausdorff_95_px=hausdorff_95(predicted, drawn),
        surface_distance_px=surface_distance(predicted, drawn),
        lesions_drawn=float(marks.drawn),
        lesions_found=float(marks.found),
        false_marks=float(marks.false_marks),
        **in_mm,
        **areas,
    )
