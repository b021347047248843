"""Were the lesions of an image found, and what else was marked."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from busight.metrics.overlap import check_pair
from busight.types import Mask

FOUND_IOU = 0.5
"""A mark with at least this IoU with a lesion has found it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Lesions and marks of one image.

    Attributes:
        drawn: Connected drawn regions.
        found: Those that a mark of their own has found.
        false_marks: Connected predicted regions that found none.
    """

    drawn: int
    found: int
    false_marks: int


def detect(predicted: Mask, drawn: Mask, least_iou: float = FOUND_IOU) -> Detection:
    """Match predicted with drawn regions, each with at most one, the best overlap first.

    Args:
        predicted: bool HW.
        drawn: bool HW of the same size.
        least_iou: IoU from which a mark has found a lesion, above 0.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.

    Example:
        >>> import numpy as np
        >>> drawn = np.zeros((8, 20), bool); drawn[2:6, 2:6] = drawn[2:6, 12:16] = True
        >>> predicted = np.zeros((8, 20), bool); predicted[2:6, 3:6] = predicted[0, 19] = True
        >>> detect(predicted, drawn)
        Detection(drawn=2, found=1, false_marks=1)
    """
    check_pair(predicted, drawn)
    # MONAI and torchmetrics match boxes with scores and need PyTorch; here regions of masks are matched.
    n_marks, marks = cv2.connectedComponents(predicted.astype(np.uint8), connectivity=8)
    n_lesions, lesions = cv2.connectedComponents(drawn.astype(np.uint8), connectivity=8)
    both = np.bincount(lesions.ravel() * n_marks + marks.ravel(), minlength=n_lesions * n_marks)
    both = both.reshape(n_lesions, n_marks)
    sizes = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    overlap = (both / np.maximum(sizes, 1))[1:, 1:]  # without the background
    found = 0
    while overlap.size and overlap.max() >= least_iou:
        lesion, mark = np.unravel_index(int(overlap.argmax()), overlap.shape)
        overlap[lesion], overlap[:, mark] = 0, 0
        found += 1
    return Detection(n_lesions - 1, found, n_marks - 1 - found)
