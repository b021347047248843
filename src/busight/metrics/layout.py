"""Layout of an image: two images side by side, a field without echoes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image

_WIDTH, _HEIGHT = 256, 128
_BLACK = 16
_LEAST_WIDTH = 64
"""Columns below which enlarging an image to the common width makes edges of its pixels."""

_ROWS = 0.4
"""Share of the rows in which a seam between two images is an edge; the outline of a shadow is one in fewer."""

_STRIP = 5
"""Columns on either side of an edge whose medians are compared: a thin line is no part of them."""

_PERSISTS = 1.3
"""Times the 0.9 quantile of the image that the strips beside a seam differ by; those beside a thin line do not."""


def seam_strength(image: Image) -> float:
    """Return how much stronger an edge from top to bottom in the middle half of an image is than its other edges.

    Args:
        image: uint8 HW.

    Returns:
        The step of grey between the two columns, the median over rows, over the 0.9 quantile of all columns'. 0 where
        no edge runs through two fifths of the rows, where both sides of it are alike, as beside a thin line, and for
        images of fewer than 64 columns. One image has 0 to 1.7, two side by side mostly have 2 to 10
        (docs/log/2026-11-ready-model.md).
    """
    if image.shape[1] < _LEAST_WIDTH:
        return 0.0
    small = cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    steps = np.abs(np.diff(small, axis=1))
    of_columns = np.median(steps, axis=0)
    column = _WIDTH // 4 + int(of_columns[_WIDTH // 4 : 3 * _WIDTH // 4].argmax())
    is_edge = (
        steps[:, column] > 4 * np.median(steps) + 2
    )  # clearly above the image's own texture, also where it is flat
    if is_edge.mean() < _ROWS or not _sides_differ(small, column):
        return 0.0
    return float(of_columns[column] / (np.quantile(of_columns, 0.9) + 1))


def _sides_differ(small: NDArray[np.float32], column: int) -> bool:
    """Return whether the strips left and right of an edge differ more than such strips elsewhere in the image."""
    strips = np.median(np.lib.stride_tricks.sliding_window_view(small, _STRIP, axis=1), axis=2)
    across = np.median(np.abs(strips[:, _STRIP + 1 :] - strips[:, : -_STRIP - 1]), axis=0)
    place = column - _STRIP + 1
    near = across[max(0, place - 1) : place + 2]
    return bool(near.max() >= _PERSISTS * np.quantile(across, 0.9))


def black_share(image: Image) -> float:
    """Return the share of an image's pixels, uint8 HW, that are below 16 of 255: without an echo."""
    return float((image < _BLACK).mean())
