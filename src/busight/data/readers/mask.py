"""Reading of lesion masks: everything that is not background is lesion."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.data.image_spec import GREY, Pixels, full_scale
from busight.data.readers.decode import DecodedImage, decode, exif_orientation, upright
from busight.data.readers.image import read_size
from busight.data.readers.source import first_bytes, named
from busight.errors import ImageError
from busight.types import Image, Mask

_MAX_HARD_COLOURS = 32
"""Masks of more colours have soft edges or are compressed with loss."""

_BORDER_SHARE = 0.75
"""Share of an image's border from which a colour is the background where there is no black."""

_NOISE = 8 / 255
"""Share of white. Compression with loss moves black and white by less."""

_MOST_RINGING = 2
"""Grey levels that JPEG makes of 0 and 1."""

_LEAST_FAINT = 24
_STEP, _EVEN_RANGE, _ZONE_RANGE, _LEAST_EVEN_PX = 6, 16, 48, 25
"""Of 255 grey levels: the largest difference of neighbours within a zone, the range in the 5×5 pixels around a pixel
that is called even, the range of a whole zone; and the even pixels of which a zone has at least that many."""

_STANDS_OUT = 0.6
"""Share of the pixels around a faint area that are darker than half of it; on a slope fewer are."""

_FEW_COLOURS, _MANY_GREYS = 8, 64
_MOST_UNEVEN, _MOST_BETWEEN = 0.3, 0.5
"""Shares of pixels whose neighbours differ, and that are neither black nor white; of masks they are far smaller."""


def read_mask(source: Path | bytes, name: str = "", values: Collection[int] = ()) -> Mask:
    """Read a lesion mask.

    Masks come as 1-bit, grey, palette or colour files. The value of a pixel is its brightest channel.

    - Hard values (0 and 255, labels 1, 2, 3, greys 85 and 170, red and green, palettes): all that is not black is
      lesion. Where no pixel is black, the colour that fills the image's border is the background.
    - Soft edges (JPEG, anti-aliasing): the lesion is where the value is half of white or more, or half of the brightest
      value where no pixel reaches half of white. An even area of a grey is lesion to half of that grey.
      Few values that rise by ones, and faint values compressed with loss, leave in doubt what is lesion.

    Args:
        source: As for ``busight.data.readers.image.read_image``.
        name: Its name in messages; the path, or "image" for bytes, where empty.
        values: The values that are lesion, where a table says so; all others are not. Empty for the rule above.

    Returns:
        bool, HW, True inside the lesion; no True at all for an empty mask.

    Raises:
        ImageError: As for ``read_image``; the file is a picture of many greys and no mask; it has no background; it
            leaves in doubt what is lesion; values are given for a file compressed with loss.
    """
    name = named(source, name)
    drawn = _drawn(decode(source, name))
    if values:
        if _is_lossy(source):
            raise ImageError(f"{name}: compressed with loss, so that its values are not exact; save it as PNG")
        return np.isin(drawn.value, list(values))
    if drawn.levels is not None and not _is_lossy(source):
        return _hard_mask(drawn, drawn.levels, name)
    return _soft_mask(GREY.apply(drawn.value, drawn.white, name), _is_lossy(source), name)


def read_mask_of(image: Path, mask: Path, values: Collection[int] = ()) -> Mask:
    """Read the mask of an image, turned as the image is by its EXIF orientation.

    A mask that states its own orientation is turned by that alone, and one that has the size of the turned image is
    upright already.

    Args:
        image: The image file.
        mask: The mask file.
        values: As for ``read_mask``.

    Raises:
        ImageError: As for ``read_mask``.
    """
    pixels = read_mask(mask, values=values)
    orientation = exif_orientation(image)
    if orientation is None or exif_orientation(mask) is not None:
        return pixels
    turned: Mask = np.ascontiguousarray(upright(pixels, orientation))
    if turned.shape == pixels.shape:
        return turned
    width_height = read_size(image)
    return pixels if width_height is not None and pixels.shape == width_height[::-1] else turned


class _Drawn(NamedTuple):
    """A mask file's pixels.

    Attributes:
        value: uint8 or uint16, HW: the brightest channel, over black where transparent.
        levels: uint8, HW: the number of each pixel's colour, in ascending order of value; None for too many colours.
        white: The value of white; None where it is unknown.
    """

    value: Pixels
    levels: Image | None
    white: int | None


def _drawn(decoded: DecodedImage) -> _Drawn:
    pixels: NDArray[Any] = decoded.pixels
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opacity = pixels[..., 3]
        if pixels[..., :3].any():
            opaque = opacity[..., None] / np.float32(full_scale(opacity) or 65535)
            pixels = np.rint(pixels[..., :3] * opaque).astype(pixels.dtype)
        else:  # black on nothing: drawn by its opacity alone
            pixels = opacity
    # Channel by channel: NumPy is several times slower along a last axis of three.
    channels: list[NDArray[Any]] = [pixels] if pixels.ndim == 2 else [np.asarray(part) for part in cv2.split(pixels)]
    is_grey = all(np.array_equal(channels[0], channel) for channel in channels[1:])
    value: Pixels = channels[0] if is_grey else np.maximum.reduce(channels)
    white = decoded.white_level or full_scale(value)
    if is_grey:
        is_used = np.bincount(value.ravel()) > 0
        levels = None if is_used.sum() > _MAX_HARD_COLOURS else (np.cumsum(is_used) - 1).astype(np.uint8)[value]
        return _Drawn(value, levels, white)
    red, green, blue = (channel.astype(np.uint64) for channel in channels)
    keys = value.astype(np.uint64) << 48 | red << 32 | green << 16 | blue
    used = np.unique(keys)
    if len(used) > _MAX_HARD_COLOURS:
        return _Drawn(value, None, white)
    return _Drawn(value, np.searchsorted(used, keys).astype(np.uint8), white)


def _is_lossy(source: Path | bytes) -> bool:
    """Return whether a file is JPEG or lossy WebP, by its first bytes."""
    start = first_bytes(source, 16)
    return start[:2] == b"\xff\xd8" or (start[:4] == b"RIFF" and start[8:16] == b"WEBPVP8 ")


def _hard_mask(drawn: _Drawn, levels: Image, name: str) -> Mask:
    """Return the lesion of a mask of few colours: all hard colours but the background, and soft edges by half."""
    value = drawn.value
    more_than_black: Mask = value > 0
    if levels.max() <= 1 and value.min() == 0:
        return more_than_black
    box = np.ones((3, 3), np.uint8)
    flat = cv2.erode(levels, box) == cv2.dilate(levels, box)  # soft edges are too narrow for 3×3 equal pixels
    if levels.max() >= _FEW_COLOURS and float(flat.mean()) < 1 - _MOST_UNEVEN:
        raise ImageError(_picture(name, int(levels.max()) + 1))
    hard = np.unique(levels[flat])
    is_black = bool(value.min() == 0)
    if not is_black and levels.max() > 0 and len(hard) > levels.max():
        return _not_background(levels, name)
    white = drawn.white or 255
    bright: Mask = value >= white / 2
    if not bright.any() or drawn.white is None:
        is_slope = _is_slope(value)
        if is_slope and levels.max() < _FEW_COLOURS:
            raise ImageError(
                f"{name}: its values rise by ones from 0 to {int(value.max())}, as of a faint soft edge or of labels "
                "within labels; scale it to 0–255, or name in mask_values which are lesion"
            )
        if is_slope:
            return np.asarray(value >= value.max() / 2)
        if not _has_soft_edges(levels):
            return more_than_black
        white = int(value.max())
        bright = value >= white / 2
    if not is_black:
        return bright
    near_white = (value > (1 - _NOISE) * white) & (value < white)
    if near_white.any() and len(hard) <= levels.max():  # soft colours too: the file was compressed with loss before
        return bright | (np.isin(levels, hard) & (value > _NOISE * white))
    # Too thin for 3×3 equal pixels, but nowhere beside a brighter pixel: no edge either.
    edges = np.unique(levels[cv2.dilate(levels, box) > levels])
    return bright | ((np.isin(levels, hard) | ~np.isin(levels, edges)) & more_than_black)


def _not_background(levels: Image, name: str) -> Mask:
    """Return all but the colour of the border, for a mask without black."""
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    counts = np.bincount(border)
    if counts.max() < _BORDER_SHARE * len(border):
        raise ImageError(f"{name}: no pixel is black, so which colour is background is unknown; save background as 0")
    lesion: Mask = levels != counts.argmax()
    return lesion


def _soft_mask(value: Image, is_lossy: bool, name: str) -> Mask:
    _require_mask(value, name)
    high = int(value.max())
    if high >= 128:
        return _with_faint_areas(value, value >= 128)
    if is_lossy and _MOST_RINGING < high < _LEAST_FAINT:
        raise ImageError(
            f"{name}: compressed with loss and nowhere brighter than {high} of 255, so that lesion and noise are "
            "alike; save it as PNG, scaled to 0–255"
        )
    is_soft = high >= _LEAST_FAINT if is_lossy else _has_soft_edges(value) or _is_slope(value)
    return _with_faint_areas(value, value >= high / 2) if is_soft else value > 0


def _has_soft_edges(value: Image) -> bool:
    """Return whether a mask has many values, most of which never fill 3×3 pixels, as labels do."""
    box = np.ones((3, 3), np.uint8)
    n_values = np.count_nonzero(np.bincount(value.ravel()))
    n_even = np.count_nonzero(np.bincount(value[cv2.erode(value, box) == cv2.dilate(value, box)]))
    return bool(n_values > _FEW_COLOURS and 2 * n_even < n_values)


def _is_slope(value: Pixels) -> bool:
    """Return whether a mask rises by ones from 0 to 2 or more, as a wide soft edge does and labels do not."""
    signed = value.astype(np.int32)
    steps = (np.abs(np.diff(signed, axis=axis)).max(initial=0) for axis in (0, 1))
    return bool(value.min() == 0 and value.max() > 1 and max(steps) == 1)


def _require_mask(value: Image, name: str) -> None:
    """Raise for a picture: many greys, and most pixels neither black nor white, or neighbours that differ."""
    n_greys = int(np.count_nonzero(np.bincount(value.ravel())))
    box = np.ones((3, 3), np.uint8)
    uneven = float((cv2.dilate(value, box) - cv2.erode(value, box) > 8).mean())
    between = float(((value > 32) & (value < 223)).mean())
    if uneven > _MOST_UNEVEN or (n_greys > _MANY_GREYS and between > _MOST_BETWEEN):
        raise ImageError(_picture(name, n_greys))


def _picture(name: str, n_greys: int) -> str:
    return f"{name}: a picture of {n_greys} greys, no mask; name the file in which the lesion is white on black"


def _with_faint_areas(value: Image, bright: Mask) -> Mask:
    """Add even areas of a grey below white, to half of it, where steps separate them from the background.

    So are labels of a mask that was saved as JPEG or blurred.
    """
    box = np.ones((5, 5), np.uint8)
    low, high = cv2.erode(value, box), cv2.dilate(value, box)
    spread = high - low
    even = (spread <= _EVEN_RANGE) & (low >= _LEAST_FAINT) & (high < 255 * (1 - _NOISE))
    _, areas, stats, _ = cv2.connectedComponentsWithStats(even.astype(np.uint8), connectivity=8)
    lesion, value = bright.copy(), value.copy()
    for number, (left, top, width, height, n_pixels) in enumerate(stats.tolist()):
        if number == 0 or n_pixels < _LEAST_EVEN_PX:
            continue
        box_of_area = np.s_[top : top + height, left : left + width]
        # The evenest pixel: noise of compression may cut one near an edge off from all others.
        unevenness = np.where(areas[box_of_area] == number, spread[box_of_area], 255)
        row, column = np.unravel_index(int(unevenness.argmin()), unevenness.shape)
        place, zone = _zone(value, top + int(row), left + int(column))
        greys = value[place]
        half = greys[zone].mean() / 2
        near = cv2.dilate(zone.astype(np.uint8), box)
        around = cv2.dilate(near, box) > near
        if not around.any():
            continue
        if np.ptp(greys[zone]) <= _ZONE_RANGE and float((greys[around] < half).mean()) >= _STANDS_OUT:
            lesion[place] |= near.astype(bool) & (greys >= half)
    return lesion


def _zone(value: Image, row: int, column: int) -> tuple[tuple[slice, slice], Mask]:
    """Return the pixels that steps of at most ``_STEP`` grey levels connect with one pixel.

    Returns:
        The rectangle around them, wider by two rings of the 5×5 pixels around each, and within it which they are.
    """
    framed = np.zeros((value.shape[0] + 2, value.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    *_, (left, top, width, height) = cv2.floodFill(value, framed, (column, row), 0, _STEP, _STEP, flags)
    place = np.s_[max(top - 4, 0) : top + height + 4, max(left - 4, 0) : left + width + 4]
    return place, framed[1:-1, 1:-1][place].astype(bool)
