"""The strips or tiles of a TIFF file: where they are, and how many bytes of pixels each must hold.

Source:
    TIFF 6.0, sections 3, 15 (tiles) and 22 (JPEG, as replaced by Technical Note 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import TiffImagePlugin as Tiff

_RAW, _OLD_JPEG, _JPEG, _DEFLATE = 1, 6, 7, (8, 32946)
_YCBCR = 6
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTE_COUNTS = 322, 323, 324, 325


@dataclass(frozen=True, slots=True)
class Strip:
    """One strip or tile.

    Attributes:
        offset: Its first byte in the file.
        count: Its bytes in the file; None where the file does not state them.
        rows: Rows of pixels that it must hold.
        most_rows: Rows that it may hold: the last strip may be padded to the rows of the others.
        row_bytes: Bytes of a row; 0 where they are not known.
    """

    offset: int
    count: int | None
    rows: int
    most_rows: int
    row_bytes: int


class TiffStrips:
    """The strips or tiles of an image and their compression.

    Attributes:
        strips: In the order of the file.
        is_raw: Whether they are not compressed.
        is_deflated: Whether each is a deflated stream.
        is_jpeg: Whether each is a JPEG stream.
        jpeg_tables: The stream with the tables of all; empty where each has its own.
    """

    def __init__(self, tags: Mapping[int, Any]) -> None:
        """List the strips.

        Args:
            tags: The tags of the image.

        Raises:
            ValueError: Some are missing, or they are compressed by the JPEG of TIFF 6.0, which was given up.
        """
        compression = tags.get(Tiff.COMPRESSION, _RAW)
        if compression == _OLD_JPEG:
            raise ValueError("it is compressed by TIFF's old JPEG")
        self.is_raw, self.is_deflated = compression == _RAW, compression in _DEFLATE
        self.is_jpeg, self.jpeg_tables = compression == _JPEG, bytes(tags.get(Tiff.JPEGTABLES, b""))
        self.strips = tuple(_strips(tags))


def _strips(tags: Mapping[int, Any]) -> Iterator[Strip]:
    width, height = tags[Tiff.IMAGEWIDTH], tags[Tiff.IMAGELENGTH]
    samples = tags.get(Tiff.SAMPLESPERPIXEL, 1)
    planes, depth = (samples, 1) if tags.get(Tiff.PLANAR_CONFIGURATION, 1) == 2 else (1, samples)
    bits = depth * tags.get(Tiff.BITSPERSAMPLE, (1,))[0]
    is_tiled = _TILE_OFFSETS in tags
    columns, rows = (
        (tags[_TILE_WIDTH], tags[_TILE_LENGTH]) if is_tiled else (width, tags.get(Tiff.ROWSPERSTRIP, height))
    )
    offsets, counts = (
        tags.get(tag) or ()
        for tag in ((_TILE_OFFSETS, _TILE_BYTE_COUNTS) if is_tiled else (Tiff.STRIPOFFSETS, Tiff.STRIPBYTECOUNTS))
    )
    down = -(-height // rows)
    wanted = planes * down * -(-width // columns)
    if len(offsets) < wanted:
        raise ValueError(f"{wanted} strips of pixels are needed, {len(offsets)} follow")
    row_bytes = 0 if tags.get(Tiff.PHOTOMETRIC_INTERPRETATION) == _YCBCR else -(-columns * bits // 8)
    for number in range(wanted):
        last = not is_tiled and number % down == down - 1
        own_rows = min(rows, height - number % down * rows) if last else rows
        count = counts[number] if number < len(counts) else None
        yield Strip(offsets[number], count, own_rows, rows if down > 1 else own_rows, row_bytes)
