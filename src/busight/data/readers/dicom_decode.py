"""Decoding of one stored frame of a DICOM object, each transfer syntax by the safest decoder for it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers import decode_in_subprocess

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_APART_SECONDS = 60
"""A frame takes well under a second; after a minute the decoder hangs."""

_PIXEL_ELEMENTS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip
"""Elements by which a stored frame is decoded (DICOM PS3.3 section C.7.6.3). None identifies the patient."""


def has_decoder(syntax: UID) -> bool:
    """Return whether pixels in this transfer syntax can be decoded here."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def decoded(path: Path | None, header: Dataset, index: int) -> NDArray[Any]:
    """Return the stored values of one frame.

    Args:
        path: The object's file, of which only the frame's own bytes are read; None where ``header`` holds the pixels.
        header: The object's elements.
        index: 0 for the first frame.

    Returns:
        HW, or HWC with YBR turned into RGB; unsigned or signed integers.

    Raises:
        RuntimeError: The frame is damaged or its decoder crashed. pydicom raises many other types as well.
    """
    from pydicom import uid
    from pydicom.pixels.utils import pixel_array

    syntax = header.file_meta.TransferSyntaxUID
    if syntax in (uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless):
        return _decoded_apart(path, index) if path else _decoded_apart(None, 0, _single_frame(header, index))
    # Where Pillow decodes as well as GDCM, it is preferred: it survives damaged streams.
    by_pillow = syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEG2000, uid.JPEG2000Lossless)
    return np.asarray(pixel_array(path or header, index=index, decoding_plugin="pillow" if by_pillow else ""))


def _decoded_apart(path: Path | None, index: int, content: bytes = b"") -> NDArray[Any]:
    """Decode in a process of its own: GDCM 3.2 ends the process (abort) on some damaged JPEG and JPEG-LS streams."""
    # -P: the script's own folder must not be on the import path.
    command = [sys.executable, "-P", "-W", "ignore", decode_in_subprocess.__file__, str(path or "-"), str(index)]
    try:
        finished = subprocess.run(command, input=content, capture_output=True, check=True, timeout=_APART_SECONDS)
    except subprocess.SubprocessError:
        # The process's stderr may quote the object, so it is dropped.
        raise RuntimeError("the frame broke its decoder") from None
    return np.asarray(np.load(io.BytesIO(finished.stdout), allow_pickle=False))


def _single_frame(header: Dataset, index: int) -> bytes:
    """Write one frame of a compressed object as an object of its own, with the elements that decoding needs."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate, get_frame

    offsets = header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths")
    stream = get_frame(
        header.PixelData,
        index,
        extended_offsets=offsets if all(offsets) else None,
        number_of_frames=int(header.get("NumberOfFrames") or 1),
    )
    single = Dataset()
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = header.file_meta.TransferSyntaxUID
    single.preamble = b"\0" * 128
    for keyword in _PIXEL_ELEMENTS:
        if keyword in header:
            single[keyword] = header[keyword]
    single.PixelData = encapsulate([stream])
    single["PixelData"].VR = "OB"
    content = io.BytesIO()
    single.save_as(content)
    return content.getvalue()
