"""Where an image is read from, a file or bytes in memory, and what is refused before a pixel of it is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from busight.errors import ImageError

MAX_PIXELS = 64 * 1024 * 1024
"""64 megapixels: fifty times the largest ultrasound screen, and still under 1 GB while it is decoded."""

MAX_COSTLY_PIXELS = MAX_PIXELS // 4
"""16 megapixels, for what takes several times the memory or time: 16-bit colour, and numbers written as text."""

MIN_SIDE = 16
"""Pixels. Below this no lesion can be told from its surroundings; such files are icons or damaged."""

DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What the decoders of Pillow and pydicom raise on damaged bytes; neither library has one class for it."""


def named(source: object, name: str) -> str:
    """Return what messages call a source: the given name, else its path, else "image"."""
    return name or (str(source) if isinstance(source, Path) else "image")


@contextmanager
def opened(source: Path | bytes, name: str) -> Iterator[BinaryIO]:
    """Yield a source as a stream, opened at its first byte.

    Raises:
        ImageError: No file there, one that may not be read, or nothing in it.
    """
    _check_source(source, name)
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        yield stream


def check_size(name: str, width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Refuse an image by the size that its header states, before a pixel of it is decoded.

    Raises:
        ImageError: Below ``MIN_SIDE`` a side or above ``most`` in all.
    """
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name}: {width}×{height} pixels, needs at least {MIN_SIDE} a side; use the full picture")
    if width * height > most:
        raise ImageError(f"{name}: {width}×{height} pixels, at most {most} are decoded; scale or crop it first")


def reason(error: BaseException) -> str:
    """Return the first line of what a library said, or the kind of error where it said nothing."""
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def _check_source(source: Path | bytes, name: str) -> None:
    is_file, size = True, 0
    if isinstance(source, Path):
        try:
            is_file, size = source.is_file(), source.stat().st_size
            if is_file:
                source.open("rb").close()
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            raise ImageError(f"{name}: cannot be reached ({reason(error)}); check the path") from error
    else:
        size = len(source)
    if not is_file:
        raise ImageError(f"{name}: not a file; name the picture itself, or mend the permissions of the folder")
    if size == 0:
        raise ImageError(f"{name}: the file is empty (0 bytes); copy it again from where it came")
