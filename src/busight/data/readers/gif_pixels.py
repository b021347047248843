"""Number of the pixels that a GIF file's data give; Pillow leaves black what is missing.

Source:
    GIF89a specification, sections 20 to 22 and appendix F (LZW).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MOST_CODES = 4096


class GifFrame(NamedTuple):
    """The first image of a file: its size, the bits of a pixel, and its LZW data."""

    width: int
    height: int
    bits: int
    data: bytes

    def n_pixels(self) -> int:
        """Return the number of pixels in the data.

        Raises:
            ValueError: The data are damaged.
        """
        content = np.frombuffer(self.data + bytes(3), np.uint8).astype(np.uint32)
        place, total, window = 0, 0, _MOST_CODES
        clear = 1 << self.bits
        while place < 8 * len(self.data):
            codes, ends = _codes(content, place, clear, window)
            codes = codes[ends <= 8 * len(self.data)]
            stops = np.flatnonzero((codes == clear) | (codes == clear + 1))
            if not len(stops) and len(codes) == window:
                window *= 2  # the table was left full for longer
                continue
            stop = int(stops[0]) if len(stops) else len(codes)
            total += sum(_lengths(codes[:stop].tolist(), clear))
            if not len(stops) or codes[stop] == clear + 1:
                break
            place = int(ends[stop])
        return total


def gif_frame(content: bytes) -> GifFrame:
    """Return the first image of a GIF file.

    Raises:
        ValueError: There is none, or the file ends early.
    """
    try:
        place = 13 + _table_bytes(content[10])
        while content[place] == 0x21:  # an extension: a label and blocks
            place = _blocks(content, place + 2)[1]
        if content[place] != 0x2C:
            raise ValueError("no image is in it")
        width, height = (int.from_bytes(content[start : start + 2], "little") for start in (place + 5, place + 7))
        place += 10 + _table_bytes(content[place + 9])
        return GifFrame(width, height, content[place], _blocks(content, place + 1)[0])
    except IndexError as error:
        raise ValueError("it ends before its pixels") from error


def _table_bytes(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks(content: bytes, place: int) -> tuple[bytes, int]:
    """Return the joined data of the blocks at a place, and the place behind them."""
    parts = []
    while size := content[place]:
        parts.append(content[place + 1 : place + 1 + size])
        place += 1 + size
    return b"".join(parts), place + 1


def _codes(
    content: NDArray[np.uint32], place: int, clear: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return up to ``count`` codes from a bit on, as if none of them cleared the table, and the bit behind each."""
    table = clear + 2 + np.maximum(np.arange(count) - 1, 0)
    widths = np.frexp(np.minimum(table, _MOST_CODES - 1).astype(np.float64))[1].astype(np.int64)
    ends = place + np.cumsum(widths)
    starts = ends - widths
    inside = starts < 8 * (len(content) - 3)
    starts, ends, widths = starts[inside], ends[inside], widths[inside]
    at = starts >> 3
    bits = content[at] | content[at + 1] << 8 | content[at + 2] << 16
    return (bits >> (starts & 7)) & ((1 << widths) - 1), ends


def _lengths(codes: list[int], clear: int) -> list[int]:
    """Return the number of pixels of each code: an entry is the string of the code before it and one pixel more."""
    lengths: list[int] = []
    first = clear + 2
    for number, code in enumerate(codes):
        if code < clear:
            lengths.append(1)
        elif code - first < number:
            lengths.append(lengths[code - first] + 1)
        else:
            raise ValueError("its pixels hold an unknown code")
    return lengths
