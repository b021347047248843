"""Image properties without tissue: burned-in text and calipers, flat borders, colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from busight.data.readers.image import read_colour_share
from busight.errors import ImageError
from busight.types import Image, Mask

OVERLAY = 15
"""Stroke pixels from which an image counts as marked. With the two levels below, on 600 phantoms with injected
overlays: recall 0.967, precision 0.949 (`benchmarks/audit_planted.py`); BUSI writes its labels in grey 215 to 230."""

_BRIGHT = 215
_CONTRAST = 140
_FLAT = 3


@dataclass(frozen=True, slots=True)
class ImageProperties:
    """Properties of one image that hold no tissue.

    Attributes:
        height: Rows.
        width: Columns.
        mean_grey: 0–255.
        black_share: Share of pixels that are 0.
        border_share: Share of rows and columns at the edges that hold one value only.
        stroke_pixels: Pixels of thin, nearly white strokes on a darker ground: text, calipers, rulers.
        colour_share: Share of pixels that are not grey; 0 where it is not known.
    """

    height: int
    width: int
    mean_grey: float
    black_share: float
    border_share: float
    stroke_pixels: int
    colour_share: float

    @property
    def overlay(self) -> bool:
        """Text or calipers are likely burned in."""
        return self.stroke_pixels >= OVERLAY


def image_properties(image: Image, path: Path | None = None) -> ImageProperties:
    """Return the properties of an image.

    Args:
        image: uint8 HW.
        path: The image file, for the colour; None where there is none.
    """
    return ImageProperties(
        height=image.shape[0],
        width=image.shape[1],
        mean_grey=float(image.mean()),
        black_share=float((image == 0).mean()),
        border_share=_border_share(image),
        stroke_pixels=stroke_pixels(image),
        colour_share=_colour_share(path),
    )


def stroke_pixels(image: Image) -> int:
    """Count pixels of thin, nearly white strokes; see `stroke_mask`."""
    return int(stroke_mask(image).sum())


def stroke_mask(image: Image) -> Mask:
    """Return the mask of thin, nearly white strokes.

    A stroke is bright, at most four pixels thin (a white top-hat of 7×7 leaves it), and is connected over at least five
    pixels, which speckle seldom does.

    Args:
        image: uint8 HW.

    Returns:
        bool HW.
    """
    kernel = np.ones((7, 7), np.uint8)
    stands_out = cv2.morphologyEx(image, cv2.MORPH_TOPHAT, kernel)
    strokes = ((image >= _BRIGHT) & (stands_out >= _CONTRAST)).astype(np.uint8)
    mask: Mask = np.zeros(image.shape, dtype=np.bool_)
    left, top, width, height = cv2.boundingRect(strokes)
    if not width:
        return mask
    # Areas are counted over the strokes alone: OpenCV's own statistics, over the background too, take most of the time.
    box = strokes[top : top + height, left : left + width]
    _, labels = cv2.connectedComponents(box, connectivity=8)
    stroke_labels = labels[box > 0]
    mask[top : top + height, left : left + width][box > 0] = (np.bincount(stroke_labels) >= 5)[stroke_labels]
    return mask


def _border_share(image: Image) -> float:
    rows, columns = (np.ptp(image.astype(np.int16), axis=axis) <= _FLAT for axis in (1, 0))
    flat = _edge_run(rows) + _edge_run(rows[::-1]), _edge_run(columns) + _edge_run(columns[::-1])
    return min(1.0, (flat[0] / len(rows) + flat[1] / len(columns)) / 2)


def _edge_run(flat: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    return len(flat) if flat.all() else int(np.argmin(flat))


def _colour_share(path: Path | None) -> float:
    if path is None:
        return 0.0
    try:
        return read_colour_share(path)
    except ImageError:
        return 0.0
