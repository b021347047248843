"""Reading of the PGM and PPM formats, plain and binary.

Pillow reads them too, but it stretches 12-bit values to 16 bits, pixel by pixel in Python.

Source:
    Netpbm: pgm(5) and ppm(5).
"""

from __future__ import annotations

import warnings
from typing import BinaryIO, NamedTuple

import numpy as np

from busight.data.image_spec import Pixels

_CHANNELS = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3}


class PnmHeader(NamedTuple):
    """The header of a PGM or PPM file; ``maxval`` is the value of white, 1 to 65535."""

    magic: bytes
    width: int
    height: int
    maxval: int

    @property
    def is_plain(self) -> bool:
        """Whether the values are written as text."""
        return self.magic in (b"P2", b"P3")


def is_pnm(stream: BinaryIO) -> bool:
    """Return whether a PGM or PPM image starts at a stream's position, which is restored afterwards."""
    place = stream.tell()
    magic = stream.read(3)
    stream.seek(place)
    return magic[:2] in _CHANNELS and magic[2:].isspace()


def read_header(stream: BinaryIO) -> PnmHeader:
    """Read the header and leave the stream at the first byte of the pixels.

    Raises:
        ValueError: A number is missing, or white is not 1 to 65535.
    """
    magic = stream.read(2)
    width, height, maxval = (_number(stream) for _ in range(3))
    if not 1 <= maxval <= 65535:
        raise ValueError(f"its maxval is {maxval}, not 1 to 65535")
    return PnmHeader(magic, width, height, maxval)


def read_pixels(stream: BinaryIO, header: PnmHeader) -> Pixels:
    """Read the pixels behind the header.

    Returns:
        HW (PGM) or HWC (PPM). uint8, stretched to 0–255, where white is 255 or less; otherwise uint16 as stored.

    Raises:
        ValueError: Too few values or, as text, too many, a value that is no number, or one above white.
    """
    n_channels = _CHANNELS[header.magic]
    shape = (header.height, header.width) if n_channels == 1 else (header.height, header.width, n_channels)
    count = int(np.prod(shape))
    values = (_plain_values if header.is_plain else _binary_values)(stream, count, header.maxval).reshape(shape)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > header.maxval:
        raise ValueError(f"values from {low} to {high}, its maxval is {header.maxval}")
    if header.maxval > 255:
        return values.astype(np.uint16)
    table = np.rint(np.arange(header.maxval + 1) / header.maxval * 255).astype(np.uint8)
    stretched: Pixels = table[values]
    return stretched


def _number(stream: BinaryIO) -> int:
    """Read the header's next number and the one white-space character behind it."""
    digits = b""
    while len(digits) < 10:
        character = stream.read(1)
        if character == b"#":
            stream.readline(10_000)  # a comment, up to the end of the line
        elif character.isdigit():
            digits += character
        elif digits or not character.isspace():
            break
    if not (digits and character.isspace()):
        raise ValueError("its header lacks width, height or maxval")
    return int(digits)


def _binary_values(stream: BinaryIO, count: int, maxval: int) -> np.ndarray[tuple[int, ...], np.dtype[np.integer]]:
    dtype = np.dtype(np.uint8 if maxval < 256 else ">u2")
    data = stream.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise ValueError(f"{count * dtype.itemsize} bytes of pixels are needed, {len(data)} follow")
    return np.frombuffer(data, dtype)


def _plain_values(stream: BinaryIO, count: int, maxval: int) -> np.ndarray[tuple[int, ...], np.dtype[np.integer]]:
    # Five digits and a space a value, and some room for white space and comments.
    text = stream.read(6 * count + 2**20)
    lines = b"\n".join(line.partition(b"#")[0] for line in text.split(b"\n")) if b"#" in text else text
    with warnings.catch_warnings():
        # NumPy before 2.4 only warns of text that is no number.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(lines, np.int32, sep=" ")
        except (DeprecationWarning, ValueError):
            raise ValueError("something between its pixel values is no number") from None
    if len(values) != count:
        raise ValueError(f"{count} pixel values are needed, {len(values)} follow")
    return values
