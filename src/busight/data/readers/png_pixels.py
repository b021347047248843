"""PNG files whose pixels are inflated once: to find whether they are all there, and to be decoded."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

from busight.data.readers.inflate import inflated
from busight.data.readers.source import check_size

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and the steps, of the passes of an interlaced PNG (PNG, section 8.1)."""

_BLOCK = 65_535
"""Most bytes of a stored block (RFC 1951, section 3.2.4)."""


def is_png(stream: BinaryIO) -> bool:
    """Return whether a PNG file starts at a stream's position, which is restored afterwards."""
    place = stream.tell()
    head = stream.read(len(_SIGNATURE))
    stream.seek(place)
    return head == _SIGNATURE


def stored_png(stream: BinaryIO, name: str) -> BinaryIO:
    """Return a PNG file with the same pixels in stored blocks, which cost nothing to inflate.

    Args:
        stream: The file at its first byte.
        name: Its name in messages.

    Returns:
        The file in memory; `stream` itself where its header is none, which no decoder reads.

    Raises:
        ImageError: As for ``check_size``.
        ValueError: It does not begin with its header (PNG, section 5.6), or its pixels end early or go on behind the
            last one.
        zlib.error: They are damaged.
    """
    head, parts, tail = _chunks(stream.read())
    if head[12:16] != b"IHDR":
        raise ValueError(f"its first chunk is {head[12:16]!r}, not its header IHDR")
    if len(head) < 33 or head[25] not in _CHANNELS:
        stream.seek(0)
        return stream
    width, height, bits, colour, _, _, is_interlaced = struct.unpack_from(">IIBBBBB", head, 16)
    check_size(name, width, height)
    passes = _ADAM7 if is_interlaced else ((0, 0, 1, 1),)
    sides = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    row_bits = bits * _CHANNELS[colour]
    n_bytes = sum(rows * (1 + -(-columns * row_bits // 8)) for columns, rows in sides if columns > 0)
    pixels = _stored(inflated(parts, n_bytes, n_bytes))
    length, checksum = sum(map(len, pixels)), zlib.crc32(b"IDAT")
    for piece in pixels:
        checksum = zlib.crc32(piece, checksum)
    around = struct.pack(">I4s", length, b"IDAT"), struct.pack(">I", checksum)
    return io.BytesIO(b"".join((head, around[0], *pixels, around[1], tail)))


def _chunks(content: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return what stands before the pixels, the parts of the deflated pixels, and what stands behind them."""
    place, parts, before, behind = len(_SIGNATURE), [], len(content), len(content)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"IDAT":
            parts.append(content[place + 8 : place + 8 + length])
            before, behind = min(before, place), place + 12 + length
        elif parts:
            break
        place += 12 + length
    return content[:before], parts, content[behind:]


def _stored(content: bytes) -> list[bytes | memoryview]:
    """Return the pieces of a deflated stream that holds its content as it is (RFC 1950 and 1951)."""
    view, pieces = memoryview(content), list[bytes | memoryview]([b"\x78\x01"])
    for start in range(0, len(view), _BLOCK):
        block = view[start : start + _BLOCK]
        pieces += [struct.pack("<BHH", start + _BLOCK >= len(view), len(block), len(block) ^ 0xFFFF), block]
    return [*pieces, struct.pack(">I", zlib.adler32(content))]
