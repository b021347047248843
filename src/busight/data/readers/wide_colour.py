"""Reading of 16-bit colour from PNG and TIFF.

Pillow has no 16-bit colour: it keeps the upper byte of each value. Decoded again as if stored in the other byte order,
the same file gives the lower bytes.
"""

from __future__ import annotations

import sys
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, PLANAR_CONFIGURATION, TiffImageFile

_OTHER_ORDER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
"""Ends of Pillow's raw modes: big, little and the machine's own byte order."""

_GREY_WITH_OPACITY = "LA;16B"
"""It has no other byte order, but four bytes a pixel, which can be decoded as RGBA."""


def is_wide_colour(picture: ImageFile) -> bool:
    """Return whether an image, opened and not yet decoded, is 16-bit colour."""
    if isinstance(picture, TiffImageFile):
        bits = picture.tag_v2.get(BITSPERSAMPLE, (1,))
        return len(bits) > 1 and max(bits) == 16
    return isinstance(picture, PngImageFile) and ";16" in raw_mode_of(picture) and not picture.mode.startswith("I")


def read_wide_colour(stream: BinaryIO) -> NDArray[np.uint16] | None:
    """Return the pixels of a PNG or TIFF file of 16-bit colour.

    Args:
        stream: The file; its position does not matter.

    Returns:
        uint16, HWC with three channels, or four of which the last is opacity; None for planes, premultiplied opacity
        and colours that mean transparent.
    """
    stream.seek(0)
    with Pillow.open(stream, formats=("PNG", "TIFF")) as picture:
        raw_mode = raw_mode_of(picture)
        kind, _, order = raw_mode.partition(";")
        in_planes = isinstance(picture, TiffImageFile) and picture.tag_v2.get(PLANAR_CONFIGURATION, 1) != 1
    if in_planes or order not in _OTHER_ORDER or "transparency" in picture.info:
        return None
    if raw_mode == _GREY_WITH_OPACITY:
        grey, opacity = np.moveaxis(_decoded_as(stream, "RGBA").view(">u2").astype(np.uint16), -1, 0)
        pixels = np.stack([grey, grey, grey, opacity], axis=-1)
    elif kind in ("RGB", "RGBA", "RGBX"):
        upper, lower = (_decoded_as(stream, mode) for mode in (raw_mode, f"{kind};{_OTHER_ORDER[order]}"))
        pixels = upper.astype(np.uint16) << 8 | lower
    else:
        return None
    return pixels[..., :3] if pixels[..., 3:].min(initial=65535) == 65535 else pixels


def raw_mode_of(picture: ImageFile) -> str:
    """Return the raw mode of Pillow in which an image is stored; empty where its tiles differ."""
    modes = {tile.args if isinstance(tile.args, str) else str((tile.args or ("",))[0]) for tile in picture.tile}
    return modes.pop() if len(modes) == 1 else ""


def _decoded_as(stream: BinaryIO, raw_mode: str) -> NDArray[np.uint8]:
    stream.seek(0)
    with Pillow.open(stream, formats=("PNG", "TIFF")) as picture:
        picture.tile = [
            tile._replace(args=raw_mode if isinstance(tile.args, str) else (raw_mode, *(tile.args or ())[1:]))
            for tile in picture.tile
        ]
        return np.array(picture)
