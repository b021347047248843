"""Writes small DICOM objects for the tests: any photometric interpretation, any transfer syntax."""

import io
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from PIL import Image as Pillow
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

RAMP = (np.arange(32)[:, None] * 4 + np.arange(40)[None, :] * 3).astype(np.uint8)
"""32 rows, 40 columns, 0–241."""

RGB = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)


def luma(rgb: np.ndarray) -> np.ndarray:
    return np.rint(rgb.astype(float) @ [0.299, 0.587, 0.114]).astype(int)


def write_dicom(
    path: Path,
    frames: np.ndarray,
    photometric: str = "MONOCHROME2",
    syntax: str = ExplicitVRLittleEndian,
    streams: list[bytes] | None = None,
    **elements: Any,
) -> Path:
    """Write frames (FHW or FHWC); ``streams`` are their compressed forms, ``elements`` are set last."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = UltrasoundMultiFrameImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.NumberOfFrames, header.Rows, header.Columns = frames.shape[:3]
    header.SamplesPerPixel = 1 if frames.ndim == 3 else 3
    if frames.ndim == 4:
        header.PlanarConfiguration = 0
    header.BitsAllocated = header.BitsStored = frames.dtype.itemsize * 8
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(frames.dtype.kind == "i")
    header.PhotometricInterpretation = photometric
    if streams is None:
        raw = frames.tobytes()
        header.PixelData = raw + b"\0" * (len(raw) % 2)
        header["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"
    else:
        header.PixelData = encapsulate(streams)
        header["PixelData"].VR = "OB"
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    header.save_as(path, enforce_file_format=True)
    return path


def as_stream(frame: np.ndarray, kind: str, **options: Any) -> bytes:
    """Compress one frame by Pillow, ``kind`` JPEG or JPEG2000."""
    stream = io.BytesIO()
    Pillow.fromarray(frame).save(stream, kind, **options)
    return stream.getvalue()


def recompress(source: Path, target: Path, syntax: int) -> Path:
    """Rewrite an object in another transfer syntax by GDCM (a constant of ``gdcm.TransferSyntax``)."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return target


def region(**changes: Any) -> Dataset:
    """An item of Sequence of Ultrasound Regions: rows 2..21, columns 4..33, 0.01 cm a pixel."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.RegionLocationMinX0, item.RegionLocationMinY0 = 4, 2
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = 33, 21
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.01
    for keyword, value in changes.items():
        setattr(item, keyword, value)
    return item
