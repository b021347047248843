"""Input of the image readers, a file or bytes in memory, and the checks before any pixel is decoded."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from busight.errors import ImageError

MAX_PIXELS = 16 * 1024 * 1024
"""16 megapixels: twelve times the largest ultrasound screen. A prediction of such an image stays under 1 GB."""

MAX_SIDE = 16_384
"""Pixels. Encoders of images end at 65,535, and a longer image is no ultrasound image."""

MAX_FILE_BYTES = 256 * 1024**2
"""Bytes of an image file, or of one compressed frame or video: 16 megapixels of 16-bit RGBA are half of it."""

MIN_SIDE = 16
"""Pixels. Below this no lesion is distinguishable from its surroundings; such files are icons or damaged."""

LEAST_SPACING_MM, MOST_SPACING_MM = 0.001, 10
"""No image of a breast has finer or coarser pixels; a value outside is in another unit, or a slip."""

DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""Exceptions of the decoders of Pillow and pydicom on damaged bytes; neither library has one class for it."""


def named(source: object, name: str) -> str:
    """Return the name of a source in messages: the given name, else its path, else "image"."""
    return name or (str(source) if isinstance(source, Path) else "image")


@contextmanager
def opened(source: Path | bytes, name: str, most: float = math.inf) -> Iterator[BinaryIO]:
    """Yield a source of at most so many bytes as a stream at its first byte.

    Raises:
        ImageError: The file is missing, may not be read, is empty, or is larger.
    """
    _check_source(source, name, most)
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        yield stream


def first_bytes(source: Path | bytes, count: int) -> bytes:
    """Return the first bytes of a file or of content; fewer where it has no more or cannot be read."""
    if isinstance(source, bytes):
        return source[:count]
    try:
        with source.open("rb") as stream:
            return stream.read(count)
    except OSError:
        return b""


def check_size(name: str, width: int, height: int) -> None:
    """Raise for an image by the size in its header, before any pixel is decoded.

    Raises:
        ImageError: Below ``MIN_SIDE`` or above ``MAX_SIDE`` a side, or above ``MAX_PIXELS`` in all.
    """
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name}: {width}×{height} pixels, needs at least {MIN_SIDE} a side; use the full image")
    if max(width, height) > MAX_SIDE and width * height <= MAX_PIXELS:
        raise ImageError(f"{name}: {width}×{height} pixels, at most {MAX_SIDE} a side; scale or crop it first")
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name}: {width}×{height} pixels, at most {MAX_PIXELS} are decoded; scale or crop it first")


def reason(error: BaseException) -> str:
    """Return the first line of a library's error message, or the type of error where it is empty."""
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def _check_source(source: Path | bytes, name: str, most: float) -> None:
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
        raise ImageError(f"{name}: not a file; name the image file itself, or mend the permissions of the folder")
    if size == 0:
        raise ImageError(f"{name}: the file is empty (0 bytes); copy it again from where it came")
    if size > most:
        raise ImageError(f"{name}: the file has {size} bytes, at most {most:.0f} are read; no image needs as many")
