"""Reading of the header of a DICOM object, and checks of it before any pixel is decoded."""

from __future__ import annotations

import io
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from busight.data.readers.dicom_decode import has_decoder
from busight.data.readers.source import check_size, opened
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_FRAMES = 10_000
"""Frames in one object: five minutes of cine at 30 frames a second. More is a damaged header."""

MAX_INFLATED_BYTES = 1024**3
"""Bytes of a deflated object once inflated: pydicom holds all of them in memory."""

_PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)


def read_header(source: Path | bytes | Dataset, name: str) -> tuple[Dataset, int]:
    """Return the object's elements and the number of bytes that its pixels take.

    Of a file the pixels themselves are left out, unless it is deflated.

    Raises:
        ImageError: No file, or one that inflates to more than ``MAX_INFLATED_BYTES``.
        InvalidDicomError: No DICOM file. pydicom raises many other types on damaged ones.
    """
    from pydicom import Dataset, dcmread

    if isinstance(source, Dataset):
        return source, len(source.get("PixelData") or b"")
    with opened(source, name) as stream:
        is_deflated = _check_inflated(stream, name)
        is_whole = is_deflated or isinstance(source, bytes)
        stream.seek(0)
        header = dcmread(stream, stop_before_pixels=not is_whole)
        if is_whole:
            return header, len(header.get("PixelData") or b"")
        start = stream.tell()
        return header, stream.seek(0, io.SEEK_END) - start


def _check_inflated(stream: BinaryIO, name: str) -> bool:
    """Return whether an object is deflated; raise for a decompression bomb before pydicom holds it in memory.

    It is inflated in pieces, none of which is kept.
    """
    from pydicom.filereader import read_dataset, read_preamble
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    read_preamble(stream, force=False)
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


def check_pixels(name: str, header: Dataset, pixel_bytes: int) -> None:
    """Raise for an object whose header states pixels that are missing, not readable or too many.

    Raises:
        ImageError: The message names the element.
    """
    if pixel_bytes == 0:
        raise ImageError(f"{name}: DICOM without pixels (a report, a PDF, a directory); leave it out")
    for keyword in ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated"):
        if not header.get(keyword):
            raise ImageError(f"{name}: has pixels but no {keyword} to read them by; export it again")
    check_size(name, int(header.Columns), int(header.Rows))
    _check_syntax(name, header)
    photometric = str(header.PhotometricInterpretation)
    if photometric not in _PHOTOMETRIC:
        raise ImageError(f"{name}: photometric interpretation {photometric!r:.40} is not read; export it as RGB")
    n_frames = int(header.get("NumberOfFrames") or 1)
    if not 1 <= n_frames <= MAX_FRAMES:
        raise ImageError(f"{name}: {n_frames} frames, 1 to {MAX_FRAMES} are read; export a shorter cine")
    bits = int(header.get("BitsStored") or header.BitsAllocated)  # floating-point pixels have no Bits Stored
    if not 1 <= bits <= int(header.BitsAllocated) <= 16:
        raise ImageError(f"{name}: {bits} of {header.BitsAllocated} bits stored, 1 to 16 are read; export it as 8-bit")
    _check_length(name, header, n_frames, pixel_bytes)


def _check_syntax(name: str, header: Dataset) -> None:
    """Raise for a transfer syntax that is missing, or for which there is no decoder."""
    syntax = getattr(header, "file_meta", {}).get("TransferSyntaxUID")
    if syntax is None:
        raise ImageError(f"{name}: states no Transfer Syntax UID, so nobody knows how its pixels are stored; set it")
    if not has_decoder(syntax):
        more = "" if find_spec("gdcm") else ', or pip install "busight[dicom]"'
        raise ImageError(
            f"{name}: transfer syntax {syntax.name!r:.60} is not read; export it uncompressed or as JPEG{more}"
        )


def _check_length(name: str, header: Dataset, n_frames: int, pixel_bytes: int) -> None:
    """Raise for an uncompressed object shorter than its pixels."""
    # YBR_FULL_422 stores two samples for each pixel, and everything else all of them.
    samples = 2 if header.PhotometricInterpretation == "YBR_FULL_422" else int(header.get("SamplesPerPixel", 1))
    needed = int(header.Rows) * int(header.Columns) * samples * int(header.BitsAllocated) * n_frames // 8
    if not header.file_meta.TransferSyntaxUID.is_compressed and pixel_bytes < needed:
        raise ImageError(
            f"{name}: truncated, {n_frames} frame(s) need {needed} bytes and {pixel_bytes} follow; copy it again"
        )
