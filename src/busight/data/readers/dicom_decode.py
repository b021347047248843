"""Decodes one stored frame of a DICOM object, each way of compression by the decoder that is safest for it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers import decode_apart

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_APART_SECONDS = 60
"""A frame takes well under a second; longer than a minute is a decoder that hangs."""


def has_decoder(syntax: UID) -> bool:
    """Tell whether pixels in this transfer syntax can be decoded here."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def decoded(path: Path, header: Dataset, index: int) -> NDArray[Any]:
    """Return the stored values of one frame.

    Args:
        path: The object's file. Only the frame's own bytes are read from it, unless it is deflated.
        header: The object's elements; with the pixels where it is deflated.
        index: 0 for the first frame.

    Returns:
        HW, or HWC with YBR turned into RGB; unsigned or signed integers.

    Raises:
        RuntimeError: The frame is damaged or its decoder broke down. pydicom raises many other kinds as well.
    """
    from pydicom import uid
    from pydicom.pixels.utils import pixel_array

    syntax = header.file_meta.TransferSyntaxUID
    if syntax in (uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless):
        return _decoded_apart(path, index)
    # Where Pillow decodes as well as GDCM, it is preferred: it survives damaged streams.
    by_pillow = syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEG2000, uid.JPEG2000Lossless)
    source = header if syntax == uid.DeflatedExplicitVRLittleEndian else path
    return np.asarray(pixel_array(source, index=index, decoding_plugin="pillow" if by_pillow else ""))


def _decoded_apart(path: Path, index: int) -> NDArray[Any]:
    """Decode in a process of its own: GDCM 3.2 ends the process (abort) on some damaged JPEG and JPEG-LS streams."""
    # -P: the script's own folder must not become a place from which modules are imported.
    command = [sys.executable, "-P", "-W", "ignore", decode_apart.__file__, str(path), str(index)]
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_APART_SECONDS
        )
    except subprocess.SubprocessError:
        # What the process wrote to stderr may quote the object, so it is dropped.
        raise RuntimeError("the frame broke its decoder") from None
    return np.asarray(np.load(io.BytesIO(finished.stdout), allow_pickle=False))
