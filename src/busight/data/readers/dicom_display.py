"""Conversion of the stored values of a DICOM object to the pixels that a viewer displays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from busight.data.image_spec import full_scale
from busight.data.readers.decode import DecodedImage
from busight.data.readers.dicom_elements import element, numbers, text
from busight.data.readers.dicom_format import PixelFormat
from busight.data.readers.source import DAMAGE
from busight.errors import ImageError
from busight.metrics.activations import expit
from busight.types import FloatArray, Image, IntArray

if TYPE_CHECKING:
    from pydicom import Dataset

_DEEP_BITS = 12
"""Bits from which an image without a value above 255 would be shown nearly black: it holds 8-bit values."""

_LEAST_WHITE = 255
"""White of a lookup table whose entries do not fill the bits that it states: theirs, of at least 8 bits."""

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def displayed(stored: NDArray[Any], form: PixelFormat, header: Dataset, name: str = "image") -> DecodedImage:
    """Return the pixels of one frame as a viewer displays them.

    MONOCHROME goes through Modality LUT and VOI LUT or window (the first one) to 8 bits where a window or VOI LUT is
    given; one that cannot be read is ignored. Without one, a Modality LUT is shown from 0 to its white, and a negative
    RescaleSlope inverts. Up to 8 bits are then stretched to 0–255, and of more bits the stored values are kept: from 0
    (signed ones shifted) to a white of 2^BitsStored − 1, the same for every frame and file. Of 12 bits and more this
    would show 8-bit values nearly black: where none is above 255 white is 255. Full 16 bits do not define the scale:
    white is 65535 where a value is 32768 or more, else unknown. MONOCHROME1 is inverted, so that echoes are bright. All
    values that can be stored are mapped once, into a table of 2^BitsStored entries.

    Args:
        stored: HW, or HWC for RGB, unsigned or signed integers of ``form.bits_stored`` bits.
        form: How they are stored.
        header: The object's elements.
        name: Its name in messages.

    Returns:
        uint8 or uint16, HW, or HWC for colour and palettes, with what was assumed or ignored.

    Raises:
        ImageError: A scale without which black is unknown, or a palette that cannot be read.

    Source:
        DICOM PS3.3 sections C.7.6.3 (Image Pixel), C.11.1 (Modality LUT) and C.11.2 (VOI LUT).
    """
    warnings: list[str] = []
    white = 2**form.bits_stored - 1
    if stored.ndim == 3 and white <= 255:
        return DecodedImage(stored if white == 255 else np.rint(stored * (255 / white)).astype(np.uint8))
    table = None if stored.ndim == 3 else _table(form, header, name, warnings)
    if table is None:
        is_inverted = stored.ndim == 2 and _is_inverted(form, header)
        return _without_window(stored, form, name, is_inverted, warnings)
    # The remainder maps negative values to the upper half of the table.
    return DecodedImage(table[stored.astype(np.int32) % (white + 1)], None, tuple(warnings))


def _table(form: PixelFormat, header: Dataset, name: str, warnings: list[str]) -> Image | None:
    """Return uint8 grey N or RGB N3 of every value that can be stored; None for many bits without a window."""
    if form.photometric == "PALETTE COLOR":
        return _palette_table(form, header, name)
    is_inverted = form.photometric == "MONOCHROME1"
    shown = _windowed(form, header, warnings)
    if shown is None:
        shown = _through_modality_lut(form, header, warnings)
    if shown is None and form.bits_stored > 8:
        return None
    if shown is None:
        values = _storable_values(form)
        shown = (values - values.min()) / (2**form.bits_stored - 1)
        is_inverted = _is_inverted(form, header)
    return np.rint((1 - shown if is_inverted else shown) * 255).astype(np.uint8)


def _is_inverted(form: PixelFormat, header: Dataset) -> bool:
    """Return whether the largest stored value is black without a window: by MONOCHROME1 or a falling rescale."""
    # A Modality LUT stands in place of a rescale, also where it cannot be read (PS3.3 section C.11.1).
    is_falling = not element(header, "ModalityLUTSequence", []) and _rescale(header, "RescaleSlope", 1.0, []) < 0
    return (form.photometric == "MONOCHROME1") != is_falling


def _without_window(
    stored: NDArray[Any], form: PixelFormat, name: str, is_inverted: bool, warnings: list[str]
) -> DecodedImage:
    """Return values of more than 8 bits on their own scale, or on that of the 8-bit values which they are."""
    values, white = stored.astype(np.int32), 2**form.bits_stored - 1
    low, high = int(values.min()), int(values.max())
    level: int | None = white
    if form.bits_stored >= _DEEP_BITS and low >= 0 and high <= 255:
        level = 255
        if high > 0:
            warnings.append(f"its values end at {high} of {white}, so they were taken as 8-bit")
    elif form.is_signed and form.bits_stored == 16 and low >= 0:
        level = None
    elif form.is_signed:
        values = values + (white + 1) // 2
        if form.bits_stored == 16 and high - low <= white // 2:
            raise ImageError(
                f"{name}: signed values {low} to {high} without a window do not fill 16 bits, so their scale is "
                "unknown; scale them to 0–255 and save as 8-bit"
            )
    elif form.bits_stored == 16:
        level = full_scale(values.astype(np.uint16))
    if is_inverted:
        if level is None:
            raise ImageError(
                f"{name}: inverted (MONOCHROME1 or a negative RescaleSlope), of 16 bits with values up to {high}, so "
                "which one is black is unknown; export it as 8-bit or as MONOCHROME2"
            )
        values = level - values
    if level == 255:
        return DecodedImage(values.astype(np.uint8), None, tuple(warnings))
    return DecodedImage(values.astype(np.uint16), level, tuple(warnings))


def _palette_table(form: PixelFormat, header: Dataset, name: str) -> Image:
    """uint8 RGB, N3, of every stored value of a PALETTE COLOR object."""
    from pydicom.pixels.processing import apply_color_lut

    try:
        n_entries, first, _ = header.RedPaletteColorLookupTableDescriptor
        # Values outside the table take its first or last entry; pydicom 3.0 wraps them where the entries have 8 bits.
        values = np.clip(_storable_values(form), first, first + (n_entries or 2**16) - 1)
        colours = apply_color_lut(values, header)[..., :3]
    except DAMAGE:
        raise ImageError(
            f"{name}: PhotometricInterpretation is PALETTE COLOR, but its palette cannot be read; export it as RGB"
        ) from None
    # Entries of 16 bits are full-scale by the standard, but many machines write 8-bit colours into them.
    eight_bit = colours if colours.max() <= 255 else (colours.astype(np.uint32) + 128) // 257
    return np.asarray(eight_bit, dtype=np.uint8)


def _storable_values(form: PixelFormat) -> IntArray:
    """Every value that can be stored, at the place of its bit pattern: 0, 1, … and for signed data then −N/2 … −1."""
    n_values = 2**form.bits_stored
    values = np.arange(n_values, dtype=np.int64)
    return np.where(values < n_values // 2, values, values - n_values) if form.is_signed else values


def _windowed(form: PixelFormat, header: Dataset, warnings: list[str]) -> FloatArray | None:
    """Return 0–1 by the object's VOI LUT or window, None where it has neither that can be read."""
    values = _storable_values(form)
    if element(header, "VOILUTSequence", warnings):
        try:
            return _through_lut(values, header, warnings)
        except DAMAGE:
            warnings.append("VOILUTSequence cannot be read and was ignored")
    centre, width = (numbers(header, keyword, warnings) for keyword in ("WindowCenter", "WindowWidth"))
    if not centre or not width:
        return None
    function = (text(header, "VOILUTFunction", warnings) or "LINEAR").upper()
    if function not in _FUNCTIONS:
        warnings.append("VOILUTFunction is unknown, LINEAR was taken")
        function = "LINEAR"
    smallest = 1 if function == "LINEAR" else 0
    if not (math.isfinite(centre[0]) and smallest <= width[0] < math.inf and width[0] > 0):
        warnings.append(f"its window of centre {centre[0]:g} and width {width[0]:g} is none and was ignored")
        return None
    return _through_window(_real_values(values, header, warnings), centre[0], width[0], function)


def _through_modality_lut(form: PixelFormat, header: Dataset, warnings: list[str]) -> FloatArray | None:
    """Return 0–1 by the object's Modality LUT alone, None where it has none that can be read."""
    if not element(header, "ModalityLUTSequence", warnings):
        return None
    unread: list[str] = []
    real = _real_values(_storable_values(form), header, unread)
    warnings += unread
    if unread:
        return None
    return _share_of_white(real, int(header.ModalityLUTSequence[0].LUTDescriptor[2]), "ModalityLUTSequence", warnings)


def _real_values(values: IntArray, header: Dataset, warnings: list[str]) -> FloatArray:
    """Return values after the Modality LUT, or as they are where it cannot be read."""
    from pydicom.pixels.processing import apply_modality_lut

    if element(header, "ModalityLUTSequence", warnings):
        try:
            return apply_modality_lut(values, header).astype(np.float64)
        except DAMAGE:
            warnings.append("ModalityLUTSequence cannot be read and was ignored")
            return values.astype(np.float64)
    slope = _rescale(header, "RescaleSlope", 1.0, warnings)
    intercept = _rescale(header, "RescaleIntercept", 0.0, warnings)
    with np.errstate(over="ignore"):
        real = values.astype(np.float64) * slope + intercept
    if not np.isfinite(real).all():
        warnings.append(f"RescaleSlope {slope:g} and RescaleIntercept {intercept:g} overflow and were ignored")
        return values.astype(np.float64)
    return np.asarray(real, dtype=np.float64)


def _rescale(header: Dataset, keyword: str, neutral: float, warnings: list[str]) -> float:
    """Return the number of RescaleSlope or RescaleIntercept; the neutral one where it is missing or cannot be one."""
    stated = numbers(header, keyword, warnings)[:1]
    if stated and (not math.isfinite(stated[0]) or (keyword == "RescaleSlope" and stated[0] == 0)):
        warnings.append(f"{keyword} {stated[0]:g} is none and was ignored")
        stated = ()
    return stated[0] if stated else neutral


def _through_lut(values: IntArray, header: Dataset, warnings: list[str]) -> FloatArray:
    from pydicom.pixels.processing import apply_voi

    bits = int(header.VOILUTSequence[0].LUTDescriptor[2])
    looked_up = apply_voi(_real_values(values, header, warnings).astype(np.int64), header)
    return _share_of_white(looked_up, bits, "VOILUTSequence", warnings)


def _share_of_white(entries: NDArray[Any], bits: int, keyword: str, warnings: list[str]) -> FloatArray:
    """Return the entries of a lookup table as 0–1, by the bits that it states or, far below them, by their own."""
    white, high = 2**bits - 1, int(entries.max())
    # As into palettes, machines write 8-bit values into tables of 16 bits, which would be shown nearly black.
    filled = max(2 ** high.bit_length() - 1, _LEAST_WHITE)
    if high > 0 and filled <= white / 4:
        warnings.append(f"{keyword} states {bits} bits, but its entries end at {high}, so white was taken as {filled}")
        white = filled
    return np.asarray(np.clip(entries / white, 0, 1), dtype=np.float64)


def _through_window(real: FloatArray, centre: float, width: float, function: str) -> FloatArray:
    """The three functions of PS3.3 section C.11.2.1.2 and C.11.2.1.3, with an output of 0–1."""
    # The output range of pydicom's apply_windowing depends on rescale and LUT and would have to be computed again.
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
        return (real > centre).astype(np.float64) if width == 0 else np.clip((real - centre) / width + 0.5, 0, 1)
    if function == "LINEAR_EXACT":
        return np.clip((real - centre) / width + 0.5, 0, 1)
    return np.asarray(expit(4 * (real - centre) / width))
