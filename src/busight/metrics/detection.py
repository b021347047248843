"""Lesion detection: true and false positive regions of a predicted mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from busight.metrics.overlap import check_pair
from busight.types import Mask

HIT_IOU = 0.5
"""A predicted region with at least this IoU with a lesion is a true positive."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Counts of annotated lesions and predicted regions of one image.

    Attributes:
        annotated: Connected annotated regions.
        true_positives: Annotated regions that are matched with a predicted region.
        false_positives: Connected predicted regions that are not matched.
    """

    annotated: int
    true_positives: int
    false_positives: int


def detect(predicted: Mask, annotated: Mask, min_iou: float = HIT_IOU) -> Detection:
    """Match predicted with annotated regions, each with at most one, the best overlap first.

    Args:
        predicted: bool HW.
        annotated: bool HW of the same size.
        min_iou: IoU from which a predicted region is a true positive, above 0.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.

    Example:
        >>> import numpy as np
        >>> annotated = np.zeros((8, 20), bool); annotated[2:6, 2:6] = annotated[2:6, 12:16] = True
        >>> predicted = np.zeros((8, 20), bool); predicted[2:6, 3:6] = predicted[0, 19] = True
        >>> detect(predicted, annotated)
        Detection(annotated=2, true_positives=1, false_positives=1)
    """
    check_pair(predicted, annotated)
    n_regions, regions = cv2.connectedComponents(predicted.astype(np.uint8), connectivity=8)
    n_lesions, lesions = cv2.connectedComponents(annotated.astype(np.uint8), connectivity=8)
    both = np.bincount(lesions.ravel() * n_regions + regions.ravel(), minlength=n_lesions * n_regions)
    both = both.reshape(n_lesions, n_regions)
    union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    iou = (both / np.maximum(union, 1))[1:, 1:]  # without the background
    true_positives = 0
    while iou.size and iou.max() >= min_iou:
        lesion, region = np.unravel_index(int(iou.argmax()), iou.shape)
        iou[lesion], iou[:, region] = 0, 0
        true_positives += 1
    return Detection(n_lesions - 1, true_positives, n_regions - 1 - true_positives)
