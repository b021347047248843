"""Whether a JPEG stream holds all the pixels that its header states.

libjpeg, and so Pillow, fills what is missing with grey and only warns, and it passes over what is left.

Source:
    ISO/IEC 10918-1, annex B (markers), annex A.2 (order of blocks), annex G (progressive streams).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_SOI_TO_RST, _RST = range(0xD0, 0xD9), range(0xD0, 0xD8)
_NO_FRAME = (0xC4, 0xC8, 0xCC)
_PROGRESSIVE, _LOSSLESS = (0xC2, 0xC6, 0xCA, 0xCE), (0xC3, 0xC7, 0xCB, 0xCF)
_EOI, _SOS, _DRI, _TEM = 0xD9, 0xDA, 0xDD, 0x01

_PROBE = b"\xfe" * 8
"""Put behind the data of a scan it is skipped where nothing is missing, and else decoded, as hardly any stream goes on:
codes of ones alone are reserved."""

_PROBE_MCUS = 16
"""Units of a scan, more than the probe can fill."""


@dataclass(slots=True)
class _Scans:
    """The structure of a stream.

    Attributes:
        height_at: Offset of the number of rows.
        height: Rows.
        width: Columns.
        sampling: Horizontal and vertical sampling of each component, by its identifier.
        is_progressive: Whether coefficients come in several scans.
        side: Pixels a side of a block; 1 of a lossless stream.
        restart: Units in a restart interval; 0 for none.
        ends: Offset of the end of each run of entropy-coded data, before a restart marker or the end of a scan.
        unsent: The highest bit not yet sent of each component's 64 coefficients; -1 where all are.
    """

    height_at: int = 0
    height: int = 0
    width: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    is_progressive: bool = False
    side: int = 8
    restart: int = 0
    ends: list[int] = field(default_factory=list)
    unsent: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def mcu(self) -> tuple[int, int]:
        """Width and height in pixels of the smallest unit of an interleaved scan."""
        horizontal, vertical = zip(*self.sampling.values(), strict=True)
        return self.side * max(horizontal), self.side * max(vertical)


def require_same_with_probe(stream: bytes, decode: Callable[[bytes], NDArray[np.generic]]) -> NDArray[np.generic]:
    """Decode a JPEG stream, lossless ones too, and raise where it ends before its last pixel.

    Args:
        stream: From its first marker on.
        decode: The decoder.

    Returns:
        What the decoder gives.

    Raises:
        ValueError: Pixels, whole scans or whole restart intervals are missing.
    """
    values, scans = decode(stream), _scans(stream)
    if not np.array_equal(values, decode(_with_probe(stream, scans, scans.height))):
        raise ValueError("its pixels end before the last row")
    return values


def require_all_scan_lines(stream: bytes) -> None:
    """Raise for a JPEG stream that ends before its last pixel, or holds further rows.

    A byte that was changed within the data is not found, for JPEG has no checksum, nor are further rows of a
    progressive stream.

    Args:
        stream: From its first marker on.

    Raises:
        ValueError: Pixels, whole scans or whole restart intervals are missing, or are more than the header states.
    """
    require_same_with_probe(stream, _decoded)
    scans = _scans(stream)
    columns, rows = scans.mcu
    height = min(scans.height + rows * -(-_PROBE_MCUS // -(-scans.width // columns)), 65535)
    # Blocks without data are grey 128.
    if not scans.is_progressive and (_decoded(_with_probe(stream, scans, height))[-1, -1] != 128).any():
        raise ValueError(f"more rows follow than the {scans.height} that its header states")


def _decoded(stream: bytes) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Pillow.open(io.BytesIO(stream), formats=["JPEG"]) as picture:
            return np.asarray(picture)


def _with_probe(stream: bytes, scans: _Scans, height: int) -> bytes:
    """Return the stream with further rows in its header and the probe behind each run of data."""
    at = scans.height_at
    parts, start = [stream[:at], height.to_bytes(2, "big")], at + 2
    for end in scans.ends:
        parts += [stream[start:end], _PROBE]
        start = end
    return b"".join((*parts, stream[start:]))


def _scans(stream: bytes) -> _Scans:
    """Read the markers up to the end of the image.

    Raises:
        ValueError: A scan or a restart interval is missing.
    """
    scans, place = _Scans(), 2
    try:
        while (code := stream[place + 1]) != _EOI:
            if stream[place] != 0xFF:
                raise ValueError("something between its markers is none")
            if code == 0xFF:  # fill bytes may precede a marker
                place += 1
                continue
            if code in _SOI_TO_RST or code == _TEM:
                place += 2
                continue
            length = int.from_bytes(stream[place + 2 : place + 4], "big")
            segment = stream[place + 4 : place + 2 + length]
            if 0xC0 <= code <= 0xCF and code not in _NO_FRAME:
                _read_frame(scans, code, segment, place + 5)
            elif code == _DRI:
                scans.restart = int.from_bytes(segment[:2], "big")
            place += 2 + length
            if code == _SOS:
                place = _read_scan(scans, stream, segment, place)
    except (IndexError, KeyError) as error:
        raise ValueError("its markers are damaged or end early") from error
    if not scans.sampling or any((unsent >= 0).any() for unsent in scans.unsent.values()):
        raise ValueError("a scan is missing")
    return scans


def _read_frame(scans: _Scans, code: int, segment: bytes, height_at: int) -> None:
    scans.height_at, scans.is_progressive = height_at, code in _PROGRESSIVE
    scans.side = 1 if code in _LOSSLESS else 8
    scans.height, scans.width = (int.from_bytes(segment[start : start + 2], "big") for start in (1, 3))
    for number in range(segment[5]):
        identifier, sampling = segment[6 + 3 * number], segment[7 + 3 * number]
        scans.sampling[identifier] = sampling >> 4, sampling & 15
        scans.unsent[identifier] = np.full(64, 16)


def _read_scan(scans: _Scans, stream: bytes, header: bytes, place: int) -> int:
    """Read one scan, from the first byte of its data; return the offset of the marker behind it."""
    identifiers = [header[1 + 2 * number] for number in range(header[0])]
    first, last, bits = header[1 + 2 * header[0] :][:3]
    for identifier in identifiers:
        if scans.is_progressive:
            scans.unsent[identifier][first : last + 1] = (bits & 15) - 1
        else:
            scans.unsent[identifier][:] = -1
    restarts = 0
    while True:
        marker = _NEXT_MARKER.search(stream, place)
        if marker is None:
            raise ValueError("it ends within its pixels")
        scans.ends.append(marker.start())
        place, code = marker.end(), stream[marker.end() - 1]
        if code not in _RST:
            break
        if code != _RST[restarts % 8]:
            raise ValueError("a restart interval of its pixels is missing")
        restarts += 1
    if scans.restart and restarts != -(-_units(scans, identifiers) // scans.restart) - 1:
        raise ValueError("its pixels hold another number of restart intervals than its header states")
    return marker.end() - 2


def _units(scans: _Scans, identifiers: list[int]) -> int:
    """Return the number of units of a scan: blocks of one component, else what all components have together."""
    columns, rows = scans.mcu
    if len(identifiers) == 1:
        horizontal, vertical = scans.sampling[identifiers[0]]
        columns, rows = columns // horizontal, rows // vertical
    return -(-scans.width // columns) * -(-scans.height // rows)
