"""Reads DICOM objects: header first, then one frame at a time as grey, so that a long cine never fills the memory."""

from __future__ import annotations

import hashlib
import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from busight.data.readers.dicom_decode import decoded, has_decoder
from busight.data.readers.dicom_geometry import pixel_spacing_mm, ultrasound_region
from busight.data.readers.dicom_grey import to_grey
from busight.data.readers.image import DAMAGE, check_file, check_size
from busight.errors import ImageError
from busight.types import Image, Roi

if TYPE_CHECKING:
    from pydicom import Dataset

DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
"""Suffixes, in lower case, of files that are taken for DICOM whatever their first bytes say."""

MAX_FRAMES = 10_000
"""Frames in one object: five minutes of cine at 30 frames a second. More is a damaged header."""

MAX_INFLATED_BYTES = 1024**3
"""Bytes of a deflated object once inflated: pydicom holds all of them in memory."""

_PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)


@dataclass(frozen=True, slots=True, eq=False)
class DicomFrames:
    """One DICOM image object: what its header says, and its frames on request.

    Attributes:
        path: The file.
        n_frames: Frames in it, at least 1.
        pixel_spacing_mm: Distance between rows and between columns in mm, or None.
        region: The part of the picture that shows tissue in two dimensions, or None where it is not stated.
        photometric_interpretation: As stored; ``frame`` is grey whatever it is.
        patient_id: First 16 hexadecimal digits of the SHA-256 of PatientID, None where that is empty. It tells patients
            apart; it is no anonymisation, because short numbers can be tried out.
        exam_id: The same of StudyInstanceUID.
        laterality: ``"left"``, ``"right"`` or None.
        device: Manufacturer's Model Name, or None.
        SOPInstanceUID: The object's own identifier, or None.
    """

    path: Path
    n_frames: int
    pixel_spacing_mm: tuple[float, float] | None
    region: Roi | None
    photometric_interpretation: str
    patient_id: str | None
    exam_id: str | None
    laterality: str | None
    device: str | None
    SOPInstanceUID: str | None
    _header: Dataset = field(repr=False)

    def frame(self, index: int) -> Image:
        """Decode one frame as grey.

        Args:
            index: 0 for the first frame.

        Returns:
            uint8, HW, 0–255; the rule is that of ``dicom_grey.to_grey``.

        Raises:
            ImageError: There is no such frame, or its pixels cannot be decoded.
        """
        if not 0 <= index < self.n_frames:
            raise ImageError(f"{self.path}: no frame {index}, it holds {self.n_frames}; count from 0")
        with _guarded(self.path):
            return to_grey(decoded(self.path, self._header, index), self._header)

    def ultrasound(self, index: int) -> Image:
        """Decode one frame and cut it to the ultrasound region where the object names one, as grey uint8 HW.

        Raises:
            ImageError: There is no such frame, its pixels cannot be decoded, or the region is too small for a picture.
        """
        image, box = self.frame(index), self.region
        if box is not None:
            check_size(self.path, box.width, box.height)
        return image if box is None else box.cut(image)


def is_dicom(path: Path) -> bool:
    """Tell whether a file calls itself DICOM: ``DICM`` after 128 bytes (PS3.10 section 7.1), or by its suffix."""
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_frames(path: Path) -> DicomFrames:
    """Read and check the header of a DICOM image object; no pixel is decoded yet.

    Uncompressed, deflated, RLE, JPEG (baseline, extended 8-bit, lossless), JPEG-LS and JPEG 2000 objects are read.
    No message carries anything from the header but the file's technical properties.

    Args:
        path: The file.

    Returns:
        The object; its ``frame(i)`` decodes.

    Raises:
        ImageError: Missing, empty or damaged file, no image in it (report, PDF, directory), a way of storing pixels
            that is not read, or a size outside ``check_size`` and ``MAX_FRAMES``.
    """
    check_file(path)
    with _guarded(path):
        header, pixel_bytes = _read_header(path)
        _check_pixels(path, header, pixel_bytes)
        return DicomFrames(
            path=path,
            n_frames=int(header.get("NumberOfFrames") or 1),
            pixel_spacing_mm=pixel_spacing_mm(header),
            region=ultrasound_region(header),
            photometric_interpretation=str(header.PhotometricInterpretation),
            patient_id=_pseudonym(header.get("PatientID")),
            exam_id=_pseudonym(header.get("StudyInstanceUID")),
            laterality=_laterality(header),
            device=_text(header.get("ManufacturerModelName")),
            SOPInstanceUID=_text(header.get("SOPInstanceUID")),
            _header=header,
        )


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Turn what pydicom raises into one line and keep its warnings and log lines in: they may quote patient data."""
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
        raise ImageError(f"{path}: not a DICOM file (no DICM after 128 bytes); export it again as DICOM") from None
    except (BytesLengthException, *DAMAGE) as error:
        # pydicom's own text may quote an element's value, so only the kind of error is passed on.
        raise ImageError(
            f"{path}: truncated or damaged DICOM ({type(error).__name__}); export it again, best uncompressed"
        ) from None
    finally:
        logger.propagate = propagate


def _read_header(path: Path) -> tuple[Dataset, int]:
    """Return the elements before the pixels and the bytes that follow them; a deflated object is read as a whole."""
    from pydicom import dcmread
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    meta = read_file_meta_info(path)
    if meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
        _check_inflated(path, start=132 + 12 + int(meta.FileMetaInformationGroupLength))
        header = dcmread(path)
        return header, len(header.get("PixelData") or b"")
    with path.open("rb") as stream:
        header = dcmread(stream, stop_before_pixels=True)
        return header, path.stat().st_size - stream.tell()


def _check_inflated(path: Path, start: int) -> None:
    """Inflate piece by piece, keeping nothing, to refuse a bomb before pydicom holds it in memory."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    pending, n_bytes = path.read_bytes()[start:], 0
    while pending and not inflater.eof:
        n_bytes += len(inflater.decompress(pending, 1 << 20))
        pending = inflater.unconsumed_tail
        if n_bytes > MAX_INFLATED_BYTES:
            raise ImageError(f"{path}: inflates to more than {MAX_INFLATED_BYTES} bytes; export it without compression")


def _check_pixels(path: Path, header: Dataset, pixel_bytes: int) -> None:
    """Refuse an object whose header promises pixels that are not there, not readable or too many."""
    has_image = all(header.get(name) for name in ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated"))
    if not has_image or pixel_bytes == 0:
        raise ImageError(f"{path}: DICOM without pixels (a report, a PDF, a directory); leave it out")
    check_size(path, int(header.Columns), int(header.Rows))
    photometric = str(header.PhotometricInterpretation)
    if photometric not in _PHOTOMETRIC:
        raise ImageError(f"{path}: photometric interpretation {photometric!r:.40} is not read; export it as RGB")
    n_frames = int(header.get("NumberOfFrames") or 1)
    if not 1 <= n_frames <= MAX_FRAMES:
        raise ImageError(f"{path}: {n_frames} frames, 1 to {MAX_FRAMES} are read; export a shorter cine")
    bits = int(header.get("BitsStored") or header.BitsAllocated)  # floating-point pixels have no Bits Stored
    if not 1 <= bits <= int(header.BitsAllocated) <= 16:
        raise ImageError(f"{path}: {bits} of {header.BitsAllocated} bits stored, 1 to 16 are read; export it as 8-bit")
    _check_storage(path, header, n_frames, pixel_bytes)


def _check_storage(path: Path, header: Dataset, n_frames: int, pixel_bytes: int) -> None:
    """Refuse a transfer syntax without a decoder, and an uncompressed object shorter than its own pixels."""
    syntax = header.file_meta.TransferSyntaxUID
    if not has_decoder(syntax):
        raise ImageError(f"{path}: transfer syntax {syntax.name!r:.60} is not read; export it uncompressed or as JPEG")
    # YBR_FULL_422 stores two samples for each pixel, and everything else all of them.
    samples = 2 if header.PhotometricInterpretation == "YBR_FULL_422" else int(header.get("SamplesPerPixel", 1))
    needed = int(header.Rows) * int(header.Columns) * samples * int(header.BitsAllocated) * n_frames // 8
    if not syntax.is_compressed and pixel_bytes < needed:
        raise ImageError(
            f"{path}: truncated, {n_frames} frame(s) need {needed} bytes and {pixel_bytes} follow; copy it again"
        )


def _pseudonym(value: Any) -> str | None:
    text = _text(value)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else None


def _laterality(header: Dataset) -> str | None:
    code = _text(header.get("ImageLaterality")) or _text(header.get("Laterality"))
    return {"L": "left", "R": "right"}.get(code or "")


def _text(value: Any) -> str | None:
    return (str(value).strip() or None) if value is not None else None
