"""Reading of the header of a DICOM object, and checks of it before any pixel is decoded."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from busight.data.readers.dicom_frames import PixelBytes
from busight.data.readers.source import opened
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

MAX_FRAMES = 10_000
"""Frames in one object: five minutes of cine at 30 frames a second. More is a damaged header."""

MAX_HEADER_BYTES = 4 * 1024**2
"""Bytes that are read before the pixels: pydicom takes a second or two a megabyte where they are small elements."""

_LARGE_ELEMENT = 256 * 1024
"""Bytes from which an element is skipped, e.g. private raw data: none that is needed is as large."""

MAX_INFLATED_BYTES = 256 * 1024**2
"""Bytes of a deflated object once inflated: pydicom holds all of them in memory."""

HEAD_BYTES = 1024
"""First bytes of a file by which DICOM is recognised."""

_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")
_PIXEL_DATA = (0x7FE0, 0x0010)
_FLOAT_PIXELS: dict[tuple[int, ...], str] = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
}


@dataclass(frozen=True, slots=True, eq=False)
class DicomContent:
    """An object as read, before any pixel is decoded.

    Attributes:
        header: Its elements.
        syntax: Its transfer syntax; None for compressed pixels of which none is stated.
        pixels: Where its pixels stand; None without any.
    """

    header: Dataset
    syntax: UID | None
    pixels: PixelBytes | None


def looks_like_dicom(head: bytes) -> bool:
    """Return whether a file that begins so is DICOM.

    It has ``DICM`` after 128 bytes (PS3.10 section 7.1), or begins without this preamble with two elements of the file
    meta information or of group 0008.
    """
    return head[128:132] == b"DICM" or any(
        _begins_with_elements(head, order, explicit)
        for order, explicit in (("little", True), ("little", False), ("big", True))
    )


def _begins_with_elements(head: bytes, order: str, explicit: bool) -> bool:
    if int.from_bytes(head[:2], order) not in (0x0002, 0x0008):  # type: ignore[arg-type]
        return False
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    place, before, found = 0, -1, 0
    while found < 2 and place + 8 <= len(head):
        group, number = (int.from_bytes(head[place + n : place + n + 2], order) for n in (0, 2))  # type: ignore[arg-type]
        tag = group << 16 | number
        if tag <= before or not (number == 0 or dictionary_has_tag(tag)):
            return False
        if explicit:
            vr = head[place + 4 : place + 6]
            if vr not in (b"UN", b"UL" if number == 0 else dictionary_VR(tag).encode()):
                return False
            is_long = vr in (*_LONG_VRS, b"SQ", b"UT", b"UC", b"UR")
            size = head[place + 8 : place + 12] if is_long else head[place + 6 : place + 8]
            start = place + (12 if is_long else 8)
        else:
            size, start = head[place + 4 : place + 8], place + 8
        length = int.from_bytes(size, order)  # type: ignore[arg-type]
        if length % 2 or length > len(head):
            return False
        place, before, found = start + length, tag, found + 1
    return found == 2


def read_content(source: Path | bytes | Dataset, name: str) -> DicomContent:
    """Return the object's elements and the place of its pixels.

    The pixels themselves are left where they are, unless the object is deflated.

    Raises:
        ImageError: No file, one that inflates to more than ``MAX_INFLATED_BYTES`` or has more than
            ``MAX_HEADER_BYTES`` before its pixels, or pixels that are floating-point numbers.
        InvalidDicomError: No DICOM file. pydicom raises many other types on damaged ones.
    """
    from pydicom import Dataset, dcmread
    from pydicom.errors import InvalidDicomError

    if isinstance(source, Dataset):
        return DicomContent(source, _stated_syntax(source, name), _held_pixels(source, name))
    with opened(source, name) as stream:
        if not looks_like_dicom(stream.read(HEAD_BYTES)):
            raise InvalidDicomError
        stream.seek(0)
        is_deflated = _check_inflated(stream, name)
        stream.seek(0)
        if is_deflated:
            header = dcmread(stream, force=True)
            return DicomContent(header, _syntax_of(header, (pixels := _held_pixels(header, name)), name), pixels)
        limited = cast(BinaryIO, _HeaderStream(stream, name))
        header = dcmread(limited, force=True, stop_before_pixels=True, defer_size=_LARGE_ELEMENT)
        pixels = _stored_pixels(source, stream, header, name)
        return DicomContent(header, _syntax_of(header, pixels, name), pixels)


class _HeaderStream:
    """A stream that reads no more than the header of an object may hold; what is skipped does not count."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name, self._left = stream, name, MAX_HEADER_BYTES
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ImageError(
                f"{self._name}: more than {MAX_HEADER_BYTES} bytes before its pixels; not a DICOM object, or damaged"
            )
        return content


def _stated_syntax(header: Dataset, name: str) -> UID | None:
    """Return the Transfer Syntax UID of the file meta information; None where that or the UID is missing.

    Raises:
        ImageError: It is that of no known transfer syntax.
    """
    stated: UID | None = (getattr(header, "file_meta", None) or {}).get("TransferSyntaxUID") or None
    try:
        if stated is not None:
            _ = stated.is_little_endian
    except ValueError:
        raise ImageError(
            f"{name}: its Transfer Syntax UID is that of no known transfer syntax, so nobody knows how its pixels are "
            "stored; export it again, best uncompressed"
        ) from None
    return stated


def _syntax_of(header: Dataset, pixels: PixelBytes | None, name: str) -> UID | None:
    """Return the stated transfer syntax; without one, by the way in which pydicom could read the elements."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    stated = _stated_syntax(header, name)
    if stated is not None or (pixels is not None and pixels.is_encapsulated):
        return stated
    is_implicit, is_little = header.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian


def _held_pixels(header: Dataset, name: str) -> PixelBytes | None:
    """Return the pixels of an object that holds them in memory."""
    content = _content(header.get("PixelData"), name)
    if not content:
        _refuse_floats(name, next((keyword for keyword in _FLOAT_PIXELS.values() if keyword in header), None))
        return None
    syntax = _stated_syntax(header, name)
    is_little = header.original_encoding[1] if syntax is None else syntax.is_little_endian
    is_encapsulated = header["PixelData"].is_undefined_length if syntax is None else syntax.is_encapsulated
    is_swapped = is_little is False and header["PixelData"].VR == "OW" and header.get("BitsAllocated") == 8
    return PixelBytes(None, content, 0, len(content), bool(is_encapsulated), is_swapped)


def _content(value: object, name: str) -> bytes:
    """Return the bytes of Pixel Data that a data set holds as bytes or as a buffer.

    Raises:
        ImageError: It holds something else; pydicom makes a MultiValue of a bytearray.
    """
    if isinstance(value, io.BufferedIOBase):  # pydicom takes it too; its position stays
        place = value.tell()
        value.seek(0)
        content = value.read()
        value.seek(place)
        return content
    if value is None or isinstance(value, bytes):
        return value or b""
    raise ImageError(
        f"{name}: its PixelData is of type {type(value).__name__}, bytes are read; set it to bytes(...) of its pixels"
    )


def _stored_pixels(source: Path | bytes, stream: BinaryIO, header: Dataset, name: str) -> PixelBytes | None:
    """Return the place of the pixels in a file or its content, the stream standing at their tag."""
    is_implicit, is_little = header.original_encoding
    order = "little" if is_little else "big"
    head = stream.read(12)
    tag = tuple(int.from_bytes(head[n : n + 2], order) for n in (0, 2))  # type: ignore[arg-type]
    if tag != _PIXEL_DATA:
        _refuse_floats(name, _FLOAT_PIXELS.get(tag))
        return None
    vr = b"OW" if is_implicit else head[4:6]
    # Pixel Data of explicit VR has a length of four bytes behind two reserved ones.
    start = stream.tell() - (4 if is_implicit else 0)
    length = int.from_bytes(head[4:8] if is_implicit else head[8:12], order)  # type: ignore[arg-type]
    left = stream.seek(0, io.SEEK_END) - start
    if min(length, left) <= 0:
        return None
    is_swapped = not is_little and vr == b"OW" and header.get("BitsAllocated") == 8
    path, content = (source, b"") if isinstance(source, Path) else (None, source)
    return PixelBytes(path, content, start, min(length, left), length == _UNDEFINED, is_swapped)


def _refuse_floats(name: str, keyword: str | None) -> None:
    """Raise for pixels that are floating-point numbers (DICOM PS3.3 sections C.7.6.24 and C.7.6.25)."""
    if keyword is not None:
        raise ImageError(
            f"{name}: its pixels are floating-point numbers ({keyword}, as of a parametric map), which no B-mode image "
            "has; export the image that its device displays, or scale it to 0–255 and save as 8-bit"
        )


def _check_inflated(stream: BinaryIO, name: str) -> bool:
    """Return whether an object is deflated; raise for a decompression bomb before pydicom holds it in memory.

    It is inflated in pieces, none of which is kept.
    """
    from pydicom.filereader import read_dataset, read_preamble
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    read_preamble(stream, force=True)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return False
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    n_bytes = 0
    while not inflater.eof and (pending := inflater.unconsumed_tail or stream.read(1 << 20)):
        n_bytes += len(inflater.decompress(pending, 1 << 20))
        if n_bytes > MAX_INFLATED_BYTES:
            raise ImageError(f"{name}: inflates to more than {MAX_INFLATED_BYTES} bytes; export it without compression")
    return True
