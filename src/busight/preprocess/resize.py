"""Resizing of images to a network's square input, and of maps back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image, Mask, Roi


@dataclass(frozen=True, slots=True)
class Placement:
    """The placement of an image inside a square input.

    Attributes:
        size: Side of the input in pixels.
        height: Rows of the image in the input, centred.
        width: Columns of the image in the input, centred.
    """

    size: int
    height: int
    width: int

    @property
    def inside(self) -> Roi:
        """The box of the image within the input."""
        top, left = (self.size - self.height) // 2, (self.size - self.width) // 2
        return Roi(top, left, top + self.height, left + self.width)


def placement(height: int, width: int, size: int, keep_aspect: bool) -> Placement:
    """Return the placement of an image in a square input: stretched, or scaled and padded.

    Example:
        >>> placement(300, 600, 224, keep_aspect=True).inside
        Roi(top=56, left=0, bottom=168, right=224)
    """
    if not keep_aspect:
        return Placement(size, size, size)
    scale = size / max(height, width)
    return Placement(size, max(1, round(height * scale)), max(1, round(width * scale)))


def resize_or_pad(image: Image, size: int, keep_aspect: bool) -> Image:
    """Resize an image to size×size; area averaging when it shrinks, linear when it grows, black padding.

    Args:
        image: uint8 HW, or HWC.
        size: Side of the input in pixels.
        keep_aspect: Scale both sides alike and pad, instead of stretching.

    Returns:
        uint8 (size, size), or (size, size, C).
    """
    placed = placement(image.shape[0], image.shape[1], size, keep_aspect)
    shrinks = placed.height * placed.width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (placed.width, placed.height), interpolation=method)
    return _pad(scaled.astype(np.uint8, copy=False), placed)


def resize_or_pad_mask(mask: Mask, size: int, keep_aspect: bool) -> Mask:
    """Resize a mask to size×size: a pixel is lesion when at least half of its area is.

    Args:
        mask: bool HW.
        size: Side of the input in pixels.
        keep_aspect: As for the image.

    Returns:
        bool (size, size).
    """
    return resize_or_pad(mask.astype(np.uint8) * 255, size, keep_aspect) >= 128


def invert(
    values: NDArray[np.float32], height: int, width: int, keep_aspect: bool, input_size: int
) -> NDArray[np.float32]:
    """Resize a map from input pixels back to the image's pixels (the inverse of `resize_or_pad`).

    Args:
        values: float32 (h, w): a probability or activation map over the square input, at any resolution.
        height: Rows of the image.
        width: Columns of the image.
        keep_aspect: As it was for the image.
        input_size: Side of the input in pixels: a kept aspect was rounded to whole pixels there only.

    Returns:
        float32 (height, width), linearly interpolated.
    """
    size = max(values.shape[0], values.shape[1], 256)
    box = Roi(0, 0, size, size)
    if keep_aspect:
        # A whole multiple of the input's side, so that its box is one of whole pixels here too.
        times = -(-size // input_size)
        size, inside = times * input_size, placement(height, width, input_size, keep_aspect).inside
        box = Roi(times * inside.top, times * inside.left, times * inside.bottom, times * inside.right)
    square = cv2.resize(values, (size, size), interpolation=cv2.INTER_LINEAR)
    cut = np.ascontiguousarray(square[box.top : box.bottom, box.left : box.right])
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _pad(scaled: Image, placed: Placement) -> Image:
    box = placed.inside
    padded = np.zeros((placed.size, placed.size, *scaled.shape[2:]), dtype=np.uint8)
    padded[box.top : box.bottom, box.left : box.right] = scaled
    return padded


def as_network_input(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images, uint8 (N, S, S) or (N, S, S, 3), as float32 (N, 1 or 3, S, S) in 0–1."""
    values = pictures.astype(np.float32) / np.float32(255)
    return values[:, None] if pictures.ndim == 3 else np.ascontiguousarray(values.transpose(0, 3, 1, 2))
