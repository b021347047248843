"""Distances between the outlines of a predicted and an annotated lesion."""

from __future__ import annotations

import numpy as np

from busight.metrics.overlap import check_pair
from busight.types import FloatArray, Mask


def hd95(mask_a: Mask, mask_b: Mask, spacing: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return the 95 % Hausdorff distance: 95 of 100 outline pixels have the other outline within this distance.

    Args:
        mask_a: bool HW.
        mask_b: bool HW of the same size.
        spacing: Distance between rows and between columns: 1 for pixels, else mm.

    Returns:
        The larger of the two directions' 95th percentiles, in the unit of ``spacing``; NaN where a mask is empty: it
        has no outline.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.

    Source:
        Huttenlocher, Klanderman and Rucklidge, Comparing images using the Hausdorff distance, IEEE Trans. PAMI 15
        (1993) 850–863; as a percentile on outline pixels as in MONAI.
    """
    there, back = _distances(mask_a, mask_b, spacing)
    if not len(there):
        return float("nan")
    return max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))


def assd(mask_a: Mask, mask_b: Mask, spacing: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return the average symmetric surface distance: the mean distance of all outline pixels to the other outline.

    Args:
        mask_a: bool HW.
        mask_b: bool HW of the same size.
        spacing: Distance between rows and between columns: 1 for pixels, else mm.

    Returns:
        In the unit of ``spacing``; NaN where a mask is empty.

    Raises:
        DataError: A mask is not bool HW, or the sizes differ.

    Source:
        Heimann et al., Comparison and evaluation of methods for liver segmentation from CT datasets, IEEE Trans.
        Medical Imaging 28 (2009) 1251–1265, eq. 6.
    """
    there, back = _distances(mask_a, mask_b, spacing)
    return float(np.concatenate([there, back]).mean()) if len(there) else float("nan")


def _distances(mask_a: Mask, mask_b: Mask, spacing: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Return the distances of a's outline pixels to b's outline, and of b's to a's; both empty where a mask is."""
    # SciPy and MONAI have the same distances (the tests compare them), but scoring must need neither.
    check_pair(mask_a, mask_b)
    if not mask_a.any() or not mask_b.any():
        return np.zeros(0), np.zeros(0)
    # Only the bounding box of both matters; a mask that touches the image's border has an outline there too.
    rows, columns = (np.flatnonzero((mask_a | mask_b).any(axis=axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    outline_a, outline_b = (_outline(mask[box]) for mask in (mask_a, mask_b))
    return _to_nearest(outline_a, outline_b, spacing), _to_nearest(outline_b, outline_a, spacing)


def _outline(mask: Mask) -> Mask:
    """Return the pixels of a mask that have one of the four neighbours, or the image's end, outside it."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _to_nearest(asked: Mask, outline: Mask, spacing: tuple[float, float]) -> FloatArray:
    """Return the Euclidean distance of each pixel of ``asked`` to the nearest pixel of an outline that is not empty.

    Source: Felzenszwalb and Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8 (2012)
        section 2.1: first along each column, then over the columns; the second step at the pixels of ``asked`` only.
    """
    height, width = outline.shape
    rows = np.arange(height, dtype=np.float64)[:, None]
    above = np.maximum.accumulate(np.where(outline, rows, -np.inf))
    below = np.minimum.accumulate(np.where(outline, rows, np.inf)[::-1])[::-1]
    along = (np.minimum(rows - above, below - rows) * spacing[0]) ** 2
    row, column = np.nonzero(asked)
    across = (np.arange(1 - width, width) * spacing[1]) ** 2
    found = np.empty(len(row))
    for number, (y, x) in enumerate(zip(row, column, strict=True)):
        found[number] = (along[y] + across[width - 1 - x : 2 * width - 1 - x]).min()
    return np.sqrt(found)
