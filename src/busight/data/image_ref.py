"""Which image pixels came from, so that an answer can name what it answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Identity of one image. It holds what the image is called, never who the patient is.

    Attributes:
        path: The file as the user named it, or the name given to bytes and DICOM data sets.
        frame: Index within a multi-frame file, from 0.
        SOPInstanceUID: Of a DICOM object, otherwise None; likewise the next two.
        StudyInstanceUID: The examination.
        SeriesInstanceUID: The series within it.
        pixel_spacing_mm: Row and column distance between pixel centres in mm, or None.
        origin: Row and column of the image's first pixel in the file's frame: not (0, 0) where only the ultrasound
            region of a DICOM frame was read.

    Source:
        DICOM PS3.3 sections C.12.1 (SOP Common), C.7.2.1 (General Study) and C.7.3.1 (General Series).
    """

    path: str
    frame: int = 0
    SOPInstanceUID: str | None = None
    StudyInstanceUID: str | None = None
    SeriesInstanceUID: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    origin: tuple[int, int] = (0, 0)
