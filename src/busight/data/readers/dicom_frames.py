"""The bytes of each frame of a DICOM object, native or compressed, also where offset tables or counts are wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from pydicom import Dataset

_ITEM = b"\xfe\xff\x00\xe0"
"""Tag of a fragment, little endian (PS3.5 section A.4)."""

MAX_FRAGMENTS = 1_000_000
"""Fragments in one object; more is a damaged file."""

_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""First bytes of a JPEG or JPEG-LS, a JPEG 2000 and a JP2 stream."""


_JOINT = re.compile(rb"\xff\xd9\x00?(?=\xff\xd8\xff|\xff\x4f\xff\x51)")
"""The end of one stream and, after a byte of padding, the beginning of the next."""


@dataclass(frozen=True, slots=True, eq=False)
class PixelBytes:
    """Where the value of Pixel Data stands.

    Attributes:
        path: The file; None where the value is held in memory.
        content: What holds the value in memory; empty where ``path`` does.
        start: First byte of the value in the file or in ``content``.
        length: Its bytes; to the end of the file where its length is undefined.
        is_encapsulated: Its length is undefined, as that of compressed pixels is.
        is_swapped: Its bytes are big-endian 16-bit words, though its pixels are of 8 bits.
    """

    path: Path | None
    content: bytes = field(repr=False)
    start: int
    length: int
    is_encapsulated: bool = False
    is_swapped: bool = False

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Yield a stream in which the value begins at ``start``."""
        with io.BytesIO(self.content) if self.path is None else self.path.open("rb") as stream:
            yield stream

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the value, fewer where it ends before."""
        if self.is_swapped:
            first, last = offset - offset % 2, offset + length + (offset + length) % 2
            words = bytearray(self._stored(first, last - first))
            words[: len(words) // 2 * 2 : 2], words[1::2] = words[1::2], words[: len(words) // 2 * 2 : 2]
            return bytes(words[offset - first : offset - first + length])
        return self._stored(offset, length)

    def _stored(self, offset: int, length: int) -> bytes:
        with self.opened() as stream:
            stream.seek(self.start + offset)
            return stream.read(min(length, self.length - offset))


class _Fragment(NamedTuple):
    """Bytes of one item, counted from the first byte of Pixel Data, and the offset of the item's tag."""

    tag: int
    start: int
    length: int


def compressed_frames(
    pixels: PixelBytes, header: Dataset, n_stated: int | None, is_one_stream: bool, warnings: list[str]
) -> tuple[list[list[tuple[int, int]]], bool]:
    """Return the fragments of each frame of an encapsulated object, each as (offset, length), and whether it is cut.

    Offsets count from the first byte of Pixel Data. The object is cut where its last fragment is longer than the file.
    The offset tables are taken where they fit the fragments; else a frame begins where a fragment begins as a stream
    does, and at every fragment where none does (RLE).

    Args:
        pixels: The pixels.
        header: Its Extended Offset Table is read.
        n_stated: NumberOfFrames; None where it is missing.
        is_one_stream: All fragments are one stream, as of a video.
        warnings: Warnings are added to it.

    Raises:
        ValueError: The fragments are damaged.

    Source:
        DICOM PS3.5 section A.4 (fragments, Basic Offset Table), PS3.3 section C.7.6.3.1.8 (Extended Offset Table).
    """
    with pixels.opened() as stream:
        table, fragments, n_missing = _fragments(stream, pixels)
        if n_missing:
            warnings.append(f"the last {n_missing} bytes of its pixels are missing")
        if not fragments:
            return [], n_missing > 0
        if is_one_stream:
            return [[(one.start, one.length) for one in fragments]], n_missing > 0
        starts = [_begins_stream(stream, pixels, one) for one in fragments]
    offsets = _extended_offsets(header) or [
        int.from_bytes(table[place : place + 4], "little") for place in range(0, len(table) // 4 * 4, 4)
    ]
    first_tag = fragments[0].tag
    places = {one.tag - first_tag: number for number, one in enumerate(fragments)}
    bounds = [places[offset] for offset in offsets if offset in places]
    is_ascending = bounds[:1] == [0] and all(a < b for a, b in pairwise(bounds))
    is_fitting = is_ascending and len(offsets) == len(bounds) >= sum(starts) and n_stated in (None, len(offsets))
    if not is_fitting:
        if offsets:
            warnings.append("its offset table does not fit its frames and was ignored")
        bounds = _bounds_without_table(starts, n_stated)
    frames = [
        [(one.start, one.length) for one in fragments[first:last]]
        for first, last in zip(bounds, [*bounds[1:], len(fragments)], strict=True)
    ]
    if n_stated is None or len(frames) < n_stated:
        frames = [part for frame in frames for part in _parted(frame, pixels)]
    return frames, n_missing > 0


def _parted(frame: list[tuple[int, int]], pixels: PixelBytes) -> list[list[tuple[int, int]]]:
    """Return the frames of a fragment that holds several streams, one behind the other."""
    if len(frame) != 1:
        return [frame]
    (start, length) = frame[0]
    ends = [match.end() for match in _JOINT.finditer(pixels.read(start, length))]
    return [[(start + first, last - first)] for first, last in pairwise([0, *ends, length])]


def _bounds_without_table(starts: list[bool], n_stated: int | None) -> list[int]:
    """Return the number of each frame's first fragment."""
    if n_stated == len(starts) or not any(starts):
        return [0] if n_stated == 1 else list(range(len(starts)))
    bounds = [number for number, begins in enumerate(starts) if begins]
    return bounds if bounds[0] == 0 else [0, *bounds]


def _fragments(stream: BinaryIO, pixels: PixelBytes) -> tuple[bytes, list[_Fragment], int]:
    """Return the Basic Offset Table, the fragments up to the delimiter or the end, and how many bytes are missing."""
    place = n_missing = 0
    items: list[_Fragment] = []
    while place + 8 <= pixels.length and len(items) <= MAX_FRAGMENTS:
        stream.seek(pixels.start + place)
        head = stream.read(8)
        if head[:4] != _ITEM:
            break
        length = int.from_bytes(head[4:], "little")
        n_missing = max(0, place + 8 + length - pixels.length)
        items.append(_Fragment(place, place + 8, length - n_missing))
        place += 8 + length
    if not items or len(items) > MAX_FRAGMENTS:
        raise ValueError("no fragments")
    stream.seek(pixels.start + items[0].start)
    return stream.read(items[0].length), [one for one in items[1:] if one.length > 0], n_missing


def _begins_stream(stream: BinaryIO, pixels: PixelBytes, fragment: _Fragment) -> bool:
    stream.seek(pixels.start + fragment.start)
    return stream.read(min(8, fragment.length)).startswith(_STARTS)


def _extended_offsets(header: Dataset) -> list[int]:
    table = header.get("ExtendedOffsetTable")
    if not isinstance(table, bytes):
        return []
    return [int.from_bytes(table[place : place + 8], "little") for place in range(0, len(table) // 8 * 8, 8)]


def native_frame(pixels: PixelBytes, index: int, frame_bits: int) -> bytes:
    """Return the bytes of one uncompressed frame; of 1-bit pixels the frame may begin and end within a byte.

    Raises:
        ValueError: The pixels end before the frame does.
    """
    first, last = index * frame_bits // 8, -(-(index + 1) * frame_bits // 8)
    content = pixels.read(first, last - first)
    if len(content) < last - first:
        raise ValueError("too few bytes")
    return content


def is_fragmented(pixels: PixelBytes) -> bool:
    """Return whether the value begins with an item, as that of compressed pixels does."""
    return pixels.read(0, 4) == _ITEM
