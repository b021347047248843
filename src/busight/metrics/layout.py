"""Layout of a picture: two images side by side, a field without echoes."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Image

_WIDTH, _HEIGHT = 256, 128
_BLACK = 16
_ROWS = 0.4
"""Share of the rows in which a seam between two images is an edge; the outline of a shadow is one in fewer."""


def seam_strength(image: Image) -> float:
    """Return how much stronger an edge from top to bottom in the middle half of a picture is than its other edges.

    Args:
        image: uint8 HW.

    Returns:
        The step of grey between the two columns, the median over rows, over the 0.9 quantile of all columns'; 0 where
        no edge runs through two fifths of the rows. One image has 1 to 1.5, two side by side have 2 to 10.
    """
    small = cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    steps = np.abs(np.diff(small, axis=1))
    of_columns = np.median(steps, axis=0)
    middle = slice(_WIDTH // 4, 3 * _WIDTH // 4)
    column = _WIDTH // 4 + int(of_columns[middle].argmax())
    is_edge = steps[:, column] > 4 * np.median(steps) + 2
    if is_edge.mean() < _ROWS:
        return 0.0
    return float(of_columns[column] / (np.quantile(of_columns, 0.9) + 1))


def black_share(image: Image) -> float:
    """Return the share of a picture's pixels, uint8 HW, that are below 16 of 255: without an echo."""
    return float((image < _BLACK).mean())
