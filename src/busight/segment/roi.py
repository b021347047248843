"""The region of interest around a lesion."""

from __future__ import annotations

import numpy as np

from busight.types import Mask, Roi


def bounding_box(mask: Mask) -> Roi | None:
    """Return the smallest box around the True pixels; None for an empty mask.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((10, 12), dtype=bool); mask[2:5, 3:9] = True
        >>> bounding_box(mask)
        Roi(top=2, left=3, bottom=5, right=9)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Roi(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def region_of_interest(mask: Mask, margin: float = 0.25, square: bool = True) -> Roi:
    """Return the lesion's box, widened and made square where the image allows; the whole image for an empty mask.

    Args:
        mask: bool HW.
        margin: Widening on each side as a share of the box's longer side; 0 or more.
        square: Widen the shorter side to the longer one, moved inwards at the image's border.

    Returns:
        A box inside the image.
    """
    height, width = mask.shape
    box = bounding_box(mask)
    if box is None:
        return Roi(0, 0, height, width)
    extra = margin * max(box.height, box.width)
    wanted_height, wanted_width = box.height + 2 * extra, box.width + 2 * extra
    if square:
        wanted_height = wanted_width = max(wanted_height, wanted_width)
    top, bottom = _interval((box.top + box.bottom) / 2, wanted_height, height)
    left, right = _interval((box.left + box.right) / 2, wanted_width, width)
    return Roi(top, left, bottom, right)


def _interval(centre: float, wanted: float, limit: int) -> tuple[int, int]:
    """Return an interval of the wanted length around a centre, moved or shortened to lie in 0–limit."""
    length = min(round(wanted), limit)
    start = min(max(round(centre - length / 2), 0), limit - length)
    return start, start + length
