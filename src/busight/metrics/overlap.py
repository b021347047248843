"""Overlap of a predicted with an annotated lesion mask."""

from __future__ import annotations

import numpy as np

from busight.errors import DataError
from busight.types import Mask


def dice(mask_a: Mask, mask_b: Mask) -> float:
    """Return 2 |A ∩ B| / (|A| + |B|).

    Args:
        mask_a: bool HW.
        mask_b: bool HW of the same size.

    Returns:
        0–1; 0 where just one mask is empty; NaN where both are: without a lesion there is neither a perfect overlap nor
        a miss. A prediction on an image without a lesion is scored by its area.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.

    Source: Dice, "Measures of the amount of ecologic association between species", 1945.

    Example:
        >>> dice(np.array([[True, True, False]]), np.array([[False, True, False]]))
        0.6666666666666666
    """
    both, size_a, size_b = _sizes(mask_a, mask_b)
    return 2 * both / (size_a + size_b) if size_a + size_b else float("nan")


def iou(mask_a: Mask, mask_b: Mask) -> float:
    """Return |A ∩ B| / |A ∪ B|, the Jaccard index.

    Args:
        mask_a: bool HW.
        mask_b: bool HW of the same size.

    Returns:
        0–1; 0 where just one mask is empty; NaN where both are (see :func:`dice`).

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.
    """
    both, size_a, size_b = _sizes(mask_a, mask_b)
    return both / (size_a + size_b - both) if size_a + size_b else float("nan")


def pixel_recall(predicted: Mask, annotated: Mask) -> float:
    """Return |A ∩ B| / |B|: the share of the annotated pixels B that were predicted (A).

    Args:
        predicted: A, bool HW.
        annotated: B, bool HW of the same size.

    Returns:
        0–1; NaN where nothing is annotated.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.
    """
    both, _, size_annotated = _sizes(predicted, annotated)
    return both / size_annotated if size_annotated else float("nan")


def pixel_precision(predicted: Mask, annotated: Mask) -> float:
    """Return |A ∩ B| / |A|: the share of the predicted pixels A that are annotated (B).

    Args:
        predicted: A, bool HW.
        annotated: B, bool HW of the same size.

    Returns:
        0–1; NaN where nothing is predicted.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.
    """
    both, size_predicted, _ = _sizes(predicted, annotated)
    return both / size_predicted if size_predicted else float("nan")


def area_fraction(mask: Mask) -> float:
    """Return the fraction of the image that the mask covers, 0–1.

    Raises:
        DataError: The mask is not bool HW, or has no pixels.
    """
    _check(mask)
    return float(mask.mean())


def check_pair(mask_a: Mask, mask_b: Mask) -> None:
    """Check that two masks belong to one image.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.
    """
    _check(mask_a)
    _check(mask_b)
    if mask_a.shape != mask_b.shape:
        raise DataError(f"masks of {mask_a.shape} and {mask_b.shape} pixels; bring both to the image's size first")


def _sizes(mask_a: Mask, mask_b: Mask) -> tuple[int, int, int]:
    check_pair(mask_a, mask_b)
    return int((mask_a & mask_b).sum()), int(mask_a.sum()), int(mask_b.sum())


def _check(mask: Mask) -> None:
    if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0:
        raise DataError(f"mask is {mask.dtype} of shape {mask.shape}; a mask is bool HW with at least one pixel")
