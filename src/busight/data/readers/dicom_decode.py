"""Decoding of one stored frame of a DICOM object, each kind of stream by the safest decoder for it."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import features

from busight.data.readers.decoder_process import DecoderProcess
from busight.data.readers.dicom_format import PixelFormat
from busight.data.readers.jpeg_scans import require_all_scan_lines, require_same_with_probe
from busight.data.readers.source import DAMAGE
from busight.data.readers.stream_header import StreamHeader, codestream

if TYPE_CHECKING:
    from pydicom import Dataset

_RLE = "1.2.840.10008.1.2.5"
_SYNTAXES = {
    "jpeg": "1.2.840.10008.1.2.4.50",
    "jpeg-lossless": "1.2.840.10008.1.2.4.57",
    "jpeg-ls": "1.2.840.10008.1.2.4.81",
    "jpeg-2000": "1.2.840.10008.1.2.4.91",
}
"""A transfer syntax for each kind of stream, which decodes every stream of its kind."""


def has_decoder(codec: str) -> bool:
    """Return whether streams of a kind (``StreamHeader.codec``) can be decoded here."""
    by_pillow = {"jpeg": "jpg", "jpeg-2000": "jpg_2000"}.get(codec)
    return (by_pillow is not None and bool(features.check(by_pillow))) or find_spec("gdcm") is not None


def native_values(content: bytes, form: PixelFormat, index: int, little_endian: bool) -> NDArray[Any]:
    """Return the stored values of an uncompressed frame.

    Args:
        content: Its bytes; of 1-bit pixels all that hold one of its bits.
        form: How they are stored.
        index: The frame, by which 1-bit pixels begin within a byte.
        little_endian: The order of the bytes of 16-bit values.

    Returns:
        HW, or HWC with the stored components; unsigned or signed integers.
    """
    shape = (form.rows, form.columns)
    if form.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
        first = index * form.frame_bits % 8
        return bits[first : first + form.frame_bits].reshape(shape if form.samples == 1 else (*shape, form.samples))
    size = form.bits_allocated // 8
    values = np.frombuffer(content, np.dtype(f"{'<' if little_endian else '>'}{'i' if form.is_signed else 'u'}{size}"))
    values = values.astype(values.dtype.newbyteorder("="))
    if form.is_subsampled:
        # PS3.3 section C.7.6.3.1.2: Y1 Y2 CB CR for each two pixels.
        quads = values.reshape(-1, 4)
        pairs = np.stack([quads[:, [0, 2, 3]], quads[:, [1, 2, 3]]], axis=1)
        return pairs.reshape(*shape, 3)
    if form.by_plane:
        return np.moveaxis(values.reshape(form.samples, *shape), 0, -1)
    return values.reshape(shape if form.samples == 1 else (*shape, form.samples))


def compressed_values(
    stream: bytes, header: StreamHeader | None, form: PixelFormat, apart: DecoderProcess
) -> NDArray[Any]:
    """Return the values of a compressed frame, in colour the components that its decoder gives.

    What Pillow decodes is given to GDCM, in a process of its own, only where Pillow fails: it survives damaged streams.

    Args:
        stream: The frame.
        header: Its header; None for RLE.
        form: How its values are stored.
        apart: Decodes by GDCM.

    Returns:
        HW, or HWC; unsigned or signed integers.

    Raises:
        ValueError: Pixels of a JPEG stream are missing, or more than it states.
        RuntimeError: The frame is damaged or its decoder crashed. pydicom and Pillow raise many other types as well.
    """
    if header is None:
        from pydicom.pixels.utils import pixel_array

        return np.asarray(pixel_array(_single_frame(stream, _RLE, form, form.bits_allocated), raw=True))
    syntax = _SYNTAXES[header.codec]
    if header.codec == "jpeg" and header.precision == 8:
        require_all_scan_lines(stream)
    try:
        if header.codec == "jpeg" and header.precision == 8:
            return _jpeg_components(stream, header.samples)
        if header.codec == "jpeg-2000" and (header.samples == 1 or header.precision <= 8):
            return _jpeg_2000_by_pillow(stream, syntax, form, header)
    except DAMAGE:
        if find_spec("gdcm") is None:
            raise

    def by_gdcm(stream: bytes) -> NDArray[Any]:
        single = io.BytesIO()
        _single_frame(stream, syntax, form, header.precision).save_as(single, enforce_file_format=True)
        return apart.decode(single.getvalue())

    # Of the others GDCM says itself that they end early.
    return require_same_with_probe(stream, by_gdcm) if header.codec in ("jpeg", "jpeg-lossless") else by_gdcm(stream)


def _jpeg_components(stream: bytes, samples: int) -> NDArray[np.uint8]:
    """Decode 8-bit JPEG by Pillow without any conversion of colour."""
    with Pillow.open(io.BytesIO(stream), formats=["JPEG"]) as picture:
        # The same mode in the stream and wanted from it: libjpeg then converts nothing, whatever the markers say.
        mode = "L" if samples == 1 else "RGB"
        picture.tile = [tile._replace(args=(mode, mode)) for tile in picture.tile]
        return np.array(picture)


def _jpeg_2000_by_pillow(stream: bytes, syntax: str, form: PixelFormat, header: StreamHeader) -> NDArray[Any]:
    from pydicom.pixels.utils import pixel_array

    # Out of its JP2 boxes, whose colour specification Pillow would apply.
    single = _single_frame(codestream(stream), syntax, form, header.precision)
    return np.asarray(pixel_array(single, raw=True, decoding_plugin="pillow"))


def _single_frame(stream: bytes, syntax: str, form: PixelFormat, precision: int) -> Dataset:
    """Return one frame as an object of its own, with the elements that decoding needs and nothing of the patient."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, generate_uid

    single = Dataset()
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = UID(syntax)
    single.file_meta.MediaStorageSOPClassUID = single.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    single.file_meta.MediaStorageSOPInstanceUID = single.SOPInstanceUID = generate_uid()
    single.SamplesPerPixel = form.samples
    single.PhotometricInterpretation = "MONOCHROME2" if form.samples == 1 else "RGB"
    if form.samples == 3:
        single.PlanarConfiguration = 0
    single.Rows, single.Columns = form.rows, form.columns
    single.BitsAllocated = 16 if precision > 8 else 8
    single.BitsStored, single.HighBit = precision, precision - 1
    single.PixelRepresentation = int(form.is_signed)
    single.PixelData = encapsulate([stream])
    single["PixelData"].VR = "OB"
    return single
