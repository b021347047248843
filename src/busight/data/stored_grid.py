"""Masks and maps back on the pixel grid of the file, where the image was resampled to square pixels."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import ImageRef

_T = TypeVar("_T", np.bool_, np.float32, np.uint8)


def on_stored_grid(values: NDArray[_T], ref: ImageRef) -> NDArray[_T]:
    """Return a mask or map of an image as read on the pixel grid of its file: each stored pixel takes its nearest.

    Args:
        values: bool, float32 or uint8, HW of the image as read.
        ref: Its origin; its scale says how the image was resampled.

    Returns:
        The same type, HW; ``values`` itself where the image was not resampled.

    Example:
        >>> on_stored_grid(np.array([[0], [7], [9]], np.uint8), ImageRef(scale=(3.0, 1.0)))
        array([[7]], dtype=uint8)
    """
    if ref.scale == (1.0, 1.0):
        return values
    rows, columns = (round(side / scale) for side, scale in zip(values.shape, ref.scale, strict=True))
    resized = cv2.resize(values.astype(np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.astype(values.dtype)


def stored_spacing_mm(ref: ImageRef) -> tuple[float, float] | None:
    """Return row and column distance between the pixel centres of the file in mm, or None."""
    if ref.pixel_spacing_mm is None:
        return None
    (down, right), (scale_down, scale_right) = ref.pixel_spacing_mm, ref.scale
    return down * scale_down, right * scale_right
