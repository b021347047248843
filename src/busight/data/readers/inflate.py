"""Deflated streams of a known length."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def inflated(parts: Sequence[bytes], needed: int, most: int) -> bytes:
    """Return the content of a deflated stream; no more than a byte above `most` is ever in memory.

    Args:
        parts: The stream.
        needed: Least bytes of its content.
        most: Most bytes of it.

    Raises:
        ValueError: It has fewer or more, or ends before its checksum.
        zlib.error: It is damaged.
    """
    inflater = zlib.decompressobj()
    content = inflater.decompress(b"".join(parts), most + 1)
    if len(content) > most:
        raise ValueError(f"its pixels are more than the {needed} bytes of its size")
    if len(content) < needed:
        raise ValueError(f"{needed} bytes of pixels are needed, {len(content)} follow")
    if not inflater.eof:
        raise ValueError("its pixels end before their checksum")
    return content
