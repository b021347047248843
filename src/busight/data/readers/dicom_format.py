"""How the pixels of a DICOM object are to be read, also where attributes are missing or contradict the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from busight.data.readers.dicom_elements import element, text, whole_number
from busight.data.readers.source import check_size
from busight.data.readers.stream_header import StreamHeader
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_PADDING = 0.01
"""Bytes a pixel by which a length may exceed whole frames: one byte of padding, of at least 16×16 pixels."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The Image Pixel module of an object (DICOM PS3.3 section C.7.6.3), with what had to be assumed.

    Attributes:
        rows: Rows of a frame.
        columns: Columns of a frame.
        samples: 1, or 3 for colour.
        photometric: PhotometricInterpretation; None where colour has none. Of colour it may be wrong.
        bits_allocated: Bits a sample takes: 1, 8 or 16.
        bits_stored: Bits of it that are the value.
        shift: Bits below the value, by HighBit.
        is_signed: Whether values are signed.
        by_plane: Uncompressed colour is stored plane by plane.
        is_subsampled: Uncompressed YBR of which two pixels share their colour (4:2:2).
    """

    rows: int
    columns: int
    samples: int
    photometric: str | None
    bits_allocated: int
    bits_stored: int
    shift: int = 0
    is_signed: bool = False
    by_plane: bool = False
    is_subsampled: bool = False

    @property
    def frame_bits(self) -> int:
        """Bits of an uncompressed frame."""
        samples = 2 if self.is_subsampled else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


def native_format(
    name: str, header: Dataset, pixel_bytes: int, n_stated: int | None, warnings: list[str]
) -> PixelFormat:
    """Return the format of uncompressed pixels.

    Args:
        name: The object's name in messages.
        header: Its elements.
        pixel_bytes: Length of its pixels.
        n_stated: NumberOfFrames; None where it is missing.
        warnings: What was assumed is added to it.

    Raises:
        ImageError: The pixels cannot be read safely; the message names the attribute.
    """
    rows, columns = _size(name, header, warnings)
    allocated = _required(name, header, "BitsAllocated", warnings)
    per_sample = rows * columns * allocated / 8
    n_frames = n_stated or 1
    photometric = _stated_photometric(header, warnings)
    stated = whole_number(name, header, "SamplesPerPixel", warnings)
    samples = _native_samples(name, photometric, stated, pixel_bytes / per_sample, n_stated)
    if samples != stated:
        warnings.append(f"SamplesPerPixel is {stated or 'missing'}, taken as {samples}")
    photometric = _checked_photometric(name, header, photometric, samples, warnings)
    is_subsampled = False
    if samples == 3 and (photometric or "").startswith("YBR"):
        is_subsampled = _is_subsampled(name, photometric == "YBR_FULL_422", pixel_bytes / per_sample, n_stated)
        if is_subsampled != (photometric == "YBR_FULL_422"):
            layout = "4:2:2" if is_subsampled else "three samples a pixel"
            warnings.append(f"PhotometricInterpretation is {photometric}, but its length is that of {layout}")
    planes = whole_number(name, header, "PlanarConfiguration", warnings)
    if samples == 3 and planes is None and not is_subsampled:
        warnings.append("PlanarConfiguration is missing, taken as 0")
    bits = _bits(name, header, allocated, warnings)
    made = PixelFormat(
        rows, columns, samples, photometric, *bits, by_plane=planes == 1 and samples == 3, is_subsampled=is_subsampled
    )
    if is_subsampled and columns % 2:
        raise ImageError(
            f"{name}: {columns} columns of 4:2:2, where each two share their colour, and rows would run together; "
            "export it as RGB"
        )
    needed = -(-made.frame_bits * n_frames // 8)
    if pixel_bytes < needed and (photometric or "").startswith("YBR"):
        raise ImageError(
            f"{name}: {n_frames} frame(s) of {photometric} need {needed} bytes and {pixel_bytes} follow, so it is "
            "truncated or subsampled otherwise; copy it again, or export it as RGB"
        )
    if pixel_bytes < needed:
        raise ImageError(
            f"{name}: truncated, {n_frames} frame(s) need {needed} bytes and {pixel_bytes} follow; copy it again"
        )
    return made


def video_format(name: str, header: Dataset, warnings: list[str]) -> PixelFormat:
    """Return the format of the frames of a video, which its decoder gives as 8-bit RGB.

    Raises:
        ImageError: Rows or Columns are missing, or too small or too many.
    """
    rows, columns = _size(name, header, warnings)
    return PixelFormat(rows, columns, 3, "RGB", 8, 8)


def compressed_format(name: str, header: Dataset, stream: StreamHeader | None, warnings: list[str]) -> PixelFormat:
    """Return the format of compressed pixels; where header and stream differ, the stream tells what is in it.

    Args:
        name: The object's name in messages.
        header: Its elements.
        stream: The header of its first frame's stream; None where that has none (RLE).
        warnings: What was assumed is added to it.

    Raises:
        ImageError: The pixels cannot be read safely; the message names the attribute.
    """
    rows, columns = _size(name, header, warnings)
    photometric = _stated_photometric(header, warnings)
    stated = whole_number(name, header, "SamplesPerPixel", warnings)
    by_label = None if photometric is None else 1 if photometric in _GREY else 3
    samples = stream.samples if stream else stated or by_label
    if samples not in (1, 3):
        raise ImageError(f"{name}: SamplesPerPixel is {samples}, 1 and 3 are read; export it as grey or RGB")
    if stated != samples:
        warnings.append(f"SamplesPerPixel is {'missing' if stated is None else stated}, taken as {samples}")
    photometric = _checked_photometric(name, header, photometric, samples, warnings)
    allocated = whole_number(name, header, "BitsAllocated", warnings)
    if not allocated:
        if stream is None:
            raise ImageError(f"{name}: has pixels but no BitsAllocated to read them by; export it again")
        allocated = 8 if stream.precision <= 8 else 16
        warnings.append(f"BitsAllocated is missing, taken as {allocated}")
    bits_allocated, bits_stored, shift, is_signed = _bits(name, header, allocated, warnings)
    if stream and bits_stored > stream.precision:
        warnings.append(f"BitsStored is {bits_stored}, but its stream has {stream.precision} bits")
        bits_stored = stream.precision
    if stream:
        # A decoder gives the values of its stream: the bits below the value are there only where they were compressed.
        shift = min(shift, max(0, stream.precision - bits_stored))
        is_signed = _sign_by_stream(stream, is_signed, warnings)
    return PixelFormat(rows, columns, samples, photometric, bits_allocated, bits_stored, shift, is_signed)


def _sign_by_stream(stream: StreamHeader, is_signed: bool, warnings: list[str]) -> bool:
    """Return whether the values of a stream are signed: by the stream, where it tells.

    Some programs compress the bits of signed values of more than 8 bits as an unsigned JPEG 2000 stream: there the
    label decides.

    Source:
        DICOM PS3.5 sections 8.2.1 (JPEG: unsigned but for lossless) and 8.2.4 (JPEG 2000: both shall agree).
    """
    if stream.is_signed in (None, is_signed):
        return is_signed
    labelled, held = ("signed", "unsigned") if is_signed else ("unsigned", "signed")
    by_label = stream.codec == "jpeg-2000" and is_signed and stream.precision > 8
    read = labelled if by_label else held
    warnings.append(f"PixelRepresentation says {labelled}, its stream {held}; its values were read as {read}")
    return read == "signed"


def _size(name: str, header: Dataset, warnings: list[str]) -> tuple[int, int]:
    rows, columns = (_required(name, header, keyword, warnings) for keyword in ("Rows", "Columns"))
    check_size(name, columns, rows)
    return rows, columns


def _required(name: str, header: Dataset, keyword: str, warnings: list[str]) -> int:
    value = whole_number(name, header, keyword, warnings)
    if not value:
        raise ImageError(f"{name}: has pixels but no {keyword} to read them by; export it again")
    return value


def _native_samples(
    name: str, photometric: str | None, stated: int | None, per_pixel: float, n_stated: int | None
) -> int:
    """Return the samples a pixel; by the length where SamplesPerPixel and PhotometricInterpretation do not tell."""
    if stated not in (None, 0, 1, 3):
        raise ImageError(f"{name}: SamplesPerPixel is {stated}, 1 and 3 are read; export it as grey or RGB")
    labelled = None if photometric is None else 1 if photometric in _GREY else 3
    if labelled is None or not stated or labelled == stated:
        known = stated or labelled
        if known:
            return known
    samples = int(per_pixel // (n_stated or 1))
    if samples not in (1, 3) or (samples == 3 and n_stated is None):
        raise ImageError(
            f"{name}: SamplesPerPixel is {stated or 'missing'} and PhotometricInterpretation "
            f"{photometric or 'missing'}, and the length does not tell what is right; export it again"
        )
    return samples


def _stated_photometric(header: Dataset, warnings: list[str]) -> str | None:
    stated = text(header, "PhotometricInterpretation", warnings)
    if stated is None or stated == stated.upper() or stated.upper() not in (*_GREY, *COLOUR):
        return stated
    warnings.append(f"PhotometricInterpretation is {stated}, read as {stated.upper()}")
    return stated.upper()


def _checked_photometric(
    name: str, header: Dataset, stated: str | None, samples: int, warnings: list[str]
) -> str | None:
    """Return the photometric interpretation: of grey one that fits, of colour what is stated."""
    if stated is not None and stated not in (*_GREY, *COLOUR):
        raise ImageError(f"{name}: photometric interpretation {stated!r:.40} is not read; export it as RGB")
    if samples == 3 or stated in _GREY:
        return stated
    assumed = "MONOCHROME2"
    if element(header, "RedPaletteColorLookupTableDescriptor", warnings) is not None:
        assumed = "PALETTE COLOR"
    elif text(header, "PresentationLUTShape", warnings) == "INVERSE":
        assumed = "MONOCHROME1"
    warnings.append(f"PhotometricInterpretation is {stated or 'missing'}, read as {assumed}")
    return assumed


def _is_subsampled(name: str, is_labelled: bool, per_pixel: float, n_stated: int | None) -> bool:
    """Return whether YBR pixels take two samples each, by their length.

    Raises:
        ImageError: NumberOfFrames is missing and the length fits both layouts.
    """
    if n_stated is not None:
        per_frame = per_pixel / n_stated
        return not 3 <= per_frame < 3 + _PADDING if is_labelled else 2 <= per_frame < 2 + _PADDING
    fits_two, fits_three = (_is_multiple(per_pixel, samples) for samples in (2, 3))
    if fits_two and fits_three:
        raise ImageError(
            f"{name}: no NumberOfFrames, and its length fits frames of 2 and of 3 samples a pixel; export it again"
        )
    return fits_two or (is_labelled and not fits_three)


def _is_multiple(per_pixel: float, samples: int) -> bool:
    """Return whether the length is whole frames, but for a byte of padding."""
    n_frames = int(per_pixel // samples)
    return n_frames > 0 and per_pixel - n_frames * samples < _PADDING


def _bits(name: str, header: Dataset, allocated: int, warnings: list[str]) -> tuple[int, int, int, bool]:
    """Return bits allocated, bits stored, the bits below the value, and whether values are signed."""
    high = whole_number(name, header, "HighBit", warnings)
    stored = whole_number(name, header, "BitsStored", warnings)
    if not stored:
        stored = high + 1 if high and high < allocated else allocated
        warnings.append(f"BitsStored is missing, taken as {stored}")
    if not 1 <= stored <= allocated <= 16:
        raise ImageError(f"{name}: {stored} of {allocated} bits stored, 1 to 16 are read; export it as 8-bit")
    if allocated not in (1, 8, 16):
        raise ImageError(f"{name}: BitsAllocated is {allocated}, 1, 8 and 16 are read; export it as 8-bit")
    if high is None or not stored - 1 <= high < allocated:
        if high is not None:
            warnings.append(f"HighBit {high} does not fit {stored} of {allocated} bits and was ignored")
        high = stored - 1
    representation = whole_number(name, header, "PixelRepresentation", warnings)
    if representation is None:
        warnings.append("PixelRepresentation is missing, taken as unsigned")
    return allocated, stored, high + 1 - stored, representation == 1
