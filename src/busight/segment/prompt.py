"""Prompts: a box around the lesion or a click on it, as the lesion proposal of a method."""

from __future__ import annotations

import cv2
import numpy as np

from busight.errors import DataError
from busight.segment.proposal import LesionProposal, propose_lesion
from busight.types import Image, Mask, Roi

_CERTAIN = 1e3
"""Score of the lesion proposal of a prompt."""


def proposal_in_box(image: Image, box: Roi) -> LesionProposal:
    """Return the lesion proposal of a box: the ellipse that touches its four sides.

    Args:
        image: uint8 HW.
        box: Around the lesion.

    Raises:
        DataError: The box is empty or leaves the image.
    """
    height, width = image.shape
    inside = 0 <= box.top < box.bottom <= height and 0 <= box.left < box.right <= width
    if not inside:
        raise DataError(
            f"box {box.left},{box.top},{box.width},{box.height}: empty, or outside the image of {width}×{height} "
            "pixels; give x,y,w,h in its pixels"
        )
    rows, columns = np.ogrid[:height, :width]
    down = (rows + 0.5 - (box.top + box.bottom) / 2) / (box.height / 2)
    across = (columns + 0.5 - (box.left + box.right) / 2) / (box.width / 2)
    return LesionProposal(down**2 + across**2 <= 1, _CERTAIN)


def within_box(mask: Mask, box: Roi) -> Mask:
    """Return a mask without the pixels outside a box prompt."""
    kept = np.zeros_like(mask)
    box.cut(kept)[:] = box.cut(mask)
    return kept


def proposal_at(image: Image, row: int, column: int) -> LesionProposal:
    """Return the lesion proposal of a click: the most lesion-like region that contains it, else a small disc around it.

    Args:
        image: uint8 HW.
        row: Row of the click.
        column: Column of the click.

    Raises:
        DataError: The point is outside the image.
    """
    height, width = image.shape
    if not (0 <= row < height and 0 <= column < width):
        raise DataError(f"click {column},{row}: outside the image of {width}×{height} pixels; give x,y in its pixels")
    proposal = propose_lesion(image, (row, column))
    if proposal.mask.any():
        return LesionProposal(proposal.mask, _CERTAIN)
    disc = np.zeros(image.shape, np.uint8)
    cv2.circle(disc, (column, row), max(2, min(height, width) // 20), 1, cv2.FILLED)
    return LesionProposal(disc.astype(np.bool_), _CERTAIN)
