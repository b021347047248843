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
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from busight.data.image_spec import GREY, ImageSpec
from busight.data.readers.decode import DecodedImage
from busight.data.readers.dicom_display import displayed
from busight.data.readers.dicom_elements import text
from busight.data.readers.dicom_geometry import FrameGeometry, frame_geometry, has_frame_geometry
from busight.data.readers.dicom_header import HEAD_BYTES, looks_like_dicom, read_content
from busight.data.readers.dicom_pixels import StoredPixels, open_pixels
from busight.data.readers.source import DAMAGE, check_size, named
from busight.data.table_values import known
from busight.errors import ImageError
from busight.types import Image

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
        patient_id: First 16 hexadecimal digits of the SHA-256 of PatientID, None where that is empty or says
            unknown. It distinguishes patients; it is no anonymisation, because short numbers can be tried out.
        exam_id: The same of StudyInstanceUID.
        laterality: ``"left"``, ``"right"`` or None.
        device: Manufacturer's Model Name, or None.
        SOPInstanceUID: The object's own identifier, or None; so for the next two.
        StudyInstanceUID: That of its examination.
        SeriesInstanceUID: That of its series.
        warnings: What of its header was ignored or assumed; ``decode`` adds what concerns its frame alone.
    """

    name: str
    n_frames: int
    patient_id: str | None
    exam_id: str | None
    laterality: str | None
    device: str | None
    SOPInstanceUID: str | None
    StudyInstanceUID: str | None
    SeriesInstanceUID: str | None
    warnings: tuple[str, ...]
    _geometry: FrameGeometry = field(repr=False)
    _pixels: StoredPixels = field(repr=False)
    _header: Dataset = field(repr=False)

    def geometry(self, index: int = 0) -> FrameGeometry:
        """Return where the image of a frame is, and how large its pixels are."""
        if index == 0 or not has_frame_geometry(self._header):
            return self._geometry
        form = self._pixels.form
        with _guarded(self.name):
            return frame_geometry(self._header, index, form.rows, form.columns, [])

    def pixel_spacing_mm(self, index: int = 0) -> tuple[float, float] | None:
        """Return the distance between rows and between columns of ``decode``'s pixels in mm, or None."""
        return self.geometry(index).pixel_spacing_mm(self._pixels.form.rows, self._pixels.form.columns)

    def scale(self, index: int = 0) -> tuple[float, float]:
        """Return rows and columns of ``decode``'s pixels for each stored one; (1, 1) where those are square."""
        return self.geometry(index).scale(self._pixels.form.rows, self._pixels.form.columns)

    def decode(self, index: int) -> DecodedImage:
        """Decode one frame, cut it to the ultrasound region where the object names one, and make its pixels square.

        Args:
            index: 0 for the first frame.

        Returns:
            uint8 or uint16, HW or HWC, as ``dicom_display.displayed`` returns it, with all warnings of the object and
            of the frame.

        Raises:
            ImageError: There is no such frame, or its pixels cannot be decoded or leave doubt about what they show.
        """
        if not 0 <= index < self.n_frames:
            raise ImageError(f"{self.name}: no frame {index}, it holds {self.n_frames}; count from 0")
        geometry, form = self.geometry(index), self._pixels.form
        box = geometry.region
        rows, columns = geometry.square_size(*((form.rows, form.columns) if box is None else (box.height, box.width)))
        check_size(self.name, columns, rows)
        with _guarded(self.name):
            values, notes = self._pixels.frame(index)
            pixels, white_level, more = displayed(values, form, self._header, self.name)
        told = dict.fromkeys((*self.warnings, *notes, *more))
        return DecodedImage(np.ascontiguousarray(geometry.read(pixels)), white_level, tuple(told))

    def ultrasound(self, index: int, spec: ImageSpec = GREY) -> Image:
        """Decode one frame as ``decode`` does and return it as ``spec`` says, uint8, HW or HWC.

        Raises:
            ImageError: As for ``decode`` and ``ImageSpec.apply``.
        """
        pixels, white_level, _ = self.decode(index)
        return spec.apply(pixels, white_level, self.name)


def is_dicom(source: Path | bytes) -> bool:
    """Return whether a file is DICOM, by its first bytes (``dicom_header.looks_like_dicom``) or by its suffix."""
    if isinstance(source, bytes):
        return looks_like_dicom(source[:HEAD_BYTES])
    if source.suffix.lower() in DICOM_SUFFIXES:
        return True
    try:
        with source.open("rb") as stream:
            return looks_like_dicom(stream.read(HEAD_BYTES))
    except OSError:
        return False


def read_dicom(source: Path | bytes | Dataset, name: str = "") -> DicomFrames:
    """Read and check the header of a DICOM image object; no pixel is decoded yet.

    Uncompressed, deflated, RLE, JPEG (baseline, lossless), JPEG-LS, JPEG 2000 and video (MPEG-2, MPEG-4, HEVC) objects
    are read. Messages contain nothing of the header but technical properties.

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
    told: list[str] = []
    with _guarded(name):
        content = read_content(source, name)
        header = content.header
        pixels = open_pixels(name, content, told)
        geometry = frame_geometry(header, 0, pixels.form.rows, pixels.form.columns, told)
        return DicomFrames(
            name=name,
            n_frames=pixels.n_frames,
            patient_id=_pseudonym(text(header, "PatientID", [])),
            exam_id=_pseudonym(text(header, "StudyInstanceUID", [])),
            laterality=_laterality(header),
            device=text(header, "ManufacturerModelName", []),
            SOPInstanceUID=_uid(header, "SOPInstanceUID"),
            StudyInstanceUID=_uid(header, "StudyInstanceUID"),
            SeriesInstanceUID=_uid(header, "SeriesInstanceUID"),
            warnings=tuple(dict.fromkeys(told)),
            _geometry=geometry,
            _pixels=pixels,
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
    except RecursionError:
        raise ImageError(
            f"{name}: its sequences are nested too deeply to be read; export it without private elements, or as PNG"
        ) from None
    except (BytesLengthException, Pillow.DecompressionBombWarning, *DAMAGE) as error:
        # pydicom's own text may quote an element's value, so only the type of error is reported.
        raise ImageError(
            f"{name}: truncated or damaged DICOM ({type(error).__name__}); export it again, best uncompressed"
        ) from None
    finally:
        logger.propagate = propagate


def _pseudonym(value: str | None) -> str | None:
    text = known(value)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else None


def _laterality(header: Dataset) -> str | None:
    code = text(header, "ImageLaterality", []) or text(header, "Laterality", [])
    return {"L": "left", "R": "right"}.get(code or "")


def _uid(header: Dataset, keyword: str) -> str | None:
    """Return a unique identifier; None for text that is none, which might identify the patient."""
    value = text(header, keyword, [])
    return value if value and _UID.fullmatch(value) else None
