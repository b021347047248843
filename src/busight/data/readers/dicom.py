"""Reader of DICOM objects: header first, then one frame at a time, so that a long cine does not fill the memory."""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from busight.data.image_spec import GREY, ImageSpec
from busight.data.readers.decode import DecodedImage
from busight.data.readers.dicom_decode import decoded
from busight.data.readers.dicom_display import displayed
from busight.data.readers.dicom_geometry import pixel_spacing_mm, ultrasound_region
from busight.data.readers.dicom_header import check_pixels, read_header
from busight.data.readers.source import DAMAGE, check_size, named
from busight.data.table_values import known
from busight.errors import ImageError
from busight.types import Image, Roi

if TYPE_CHECKING:
    from pydicom import Dataset

DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
"""Suffixes, in lower case, of files that are read as DICOM whatever their first bytes are."""

_UID = re.compile(r"[0-9.]{1,64}")
"""PS3.5 section 9.1, less the rules on its components, which some machines break. Anything else may be free text."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomFrames:
    """One DICOM image object: its header, and its frames on request.

    Attributes:
        name: The file, or the name given to the bytes or data set.
        n_frames: Frames in it, at least 1.
        pixel_spacing_mm: Distance between rows and between columns in mm, or None.
        region: The part of the image that shows tissue in two dimensions, or None where it is not stated.
        patient_id: First 16 hexadecimal digits of the SHA-256 of PatientID, None where that is empty or says
            unknown. It distinguishes patients; it is no anonymisation, because short numbers can be tried out.
        exam_id: The same of StudyInstanceUID.
        laterality: ``"left"``, ``"right"`` or None.
        device: Manufacturer's Model Name, or None.
        SOPInstanceUID: The object's own identifier, or None; so for the next two.
        StudyInstanceUID: That of its examination.
        SeriesInstanceUID: That of its series.
    """

    name: str
    n_frames: int
    pixel_spacing_mm: tuple[float, float] | None
    region: Roi | None
    patient_id: str | None
    exam_id: str | None
    laterality: str | None
    device: str | None
    SOPInstanceUID: str | None
    StudyInstanceUID: str | None
    SeriesInstanceUID: str | None
    _path: Path | None = field(repr=False)
    _header: Dataset = field(repr=False)

    def decode(self, index: int) -> DecodedImage:
        """Decode one frame and cut it to the ultrasound region where the object names one.

        Args:
            index: 0 for the first frame.

        Returns:
            uint8 or uint16, HW or HWC, as ``dicom_display.displayed`` returns it.

        Raises:
            ImageError: There is no such frame, its pixels cannot be decoded, or the region is too small for an image.
        """
        if not 0 <= index < self.n_frames:
            raise ImageError(f"{self.name}: no frame {index}, it holds {self.n_frames}; count from 0")
        if self.region is not None:
            check_size(self.name, self.region.width, self.region.height)
        with _guarded(self.name):
            pixels, white_level = displayed(decoded(self._path, self._header, index), self._header)
        box = self.region
        return DecodedImage(pixels if box is None else pixels[box.top : box.bottom, box.left : box.right], white_level)

    def ultrasound(self, index: int, spec: ImageSpec = GREY) -> Image:
        """Decode one frame as ``decode`` does and return it as ``spec`` says, uint8, HW or HWC.

        Raises:
            ImageError: As for ``decode`` and ``ImageSpec.apply``.
        """
        pixels, white_level = self.decode(index)
        return spec.apply(pixels, white_level, self.name)


def is_dicom(source: Path | bytes) -> bool:
    """Return whether a file is DICOM by its prefix, ``DICM`` after 128 bytes (PS3.10 section 7.1), or by its suffix."""
    if isinstance(source, bytes):
        return source[128:132] == b"DICM"
    if source.suffix.lower() in DICOM_SUFFIXES:
        return True
    try:
        with source.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_dicom(source: Path | bytes | Dataset, name: str = "") -> DicomFrames:
    """Read and check the header of a DICOM image object; no pixel is decoded yet.

    Uncompressed, deflated, RLE, JPEG (baseline, extended 8-bit, lossless), JPEG-LS and JPEG 2000 objects are read.
    Messages contain nothing of the header but technical properties.

    Args:
        source: The file, its content, or a data set in memory with its ``file_meta`` (which pynetdicom hands over as
            ``event.file_meta``). The data set is not changed.
        name: Its name in messages; the path, or "image" for bytes and data sets, where empty.

    Returns:
        The object; its ``decode(i)`` decodes a frame.

    Raises:
        ImageError: Missing, empty or damaged file, no image in it (report, PDF, directory), a way of storing pixels
            that is not read, or a size outside ``check_size`` and ``dicom_header.MAX_FRAMES``.
    """
    name = named(source, name)
    with _guarded(name):
        header, pixel_bytes = read_header(source, name)
        check_pixels(name, header, pixel_bytes)
        return DicomFrames(
            name=name,
            n_frames=int(header.get("NumberOfFrames") or 1),
            pixel_spacing_mm=pixel_spacing_mm(header),
            region=ultrasound_region(header),
            patient_id=_pseudonym(header.get("PatientID")),
            exam_id=_pseudonym(header.get("StudyInstanceUID")),
            laterality=_laterality(header),
            device=_text(header.get("ManufacturerModelName")),
            SOPInstanceUID=_uid(header.get("SOPInstanceUID")),
            StudyInstanceUID=_uid(header.get("StudyInstanceUID")),
            SeriesInstanceUID=_uid(header.get("SeriesInstanceUID")),
            # A deflated object has been inflated as a whole.
            _path=source if isinstance(source, Path) and "PixelData" not in header else None,
            _header=header,
        )


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn errors of pydicom into one line and suppress its warnings and log lines: they may quote patient data."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    logger = logging.getLogger("pydicom")
    propagate = logger.propagate
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A JPEG or JPEG 2000 stream may be larger than the header around it says.
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            yield
    except InvalidDicomError:
        raise ImageError(f"{name}: not a DICOM file (no DICM after 128 bytes); export it again as DICOM") from None
    except (BytesLengthException, *DAMAGE) as error:
        # pydicom's own text may quote an element's value, so only the type of error is reported.
        raise ImageError(
            f"{name}: truncated or damaged DICOM ({type(error).__name__}); export it again, best uncompressed"
        ) from None
    finally:
        logger.propagate = propagate


def _pseudonym(value: Any) -> str | None:
    text = known(_text(value))
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else None


def _laterality(header: Dataset) -> str | None:
    code = _text(header.get("ImageLaterality")) or _text(header.get("Laterality"))
    return {"L": "left", "R": "right"}.get(code or "")


def _text(value: Any) -> str | None:
    return (str(value).strip() or None) if value is not None else None


def _uid(value: Any) -> str | None:
    """Return a unique identifier; None for text that is none, which might identify the patient."""
    text = _text(value)
    return text if text and _UID.fullmatch(text) else None
