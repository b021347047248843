"""Conversion of the stored values of a DICOM object to the pixels that a viewer displays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers.decode import DecodedImage
from busight.metrics.activations import expit
from busight.types import FloatArray, Image, IntArray

if TYPE_CHECKING:
    from pydicom import Dataset


def displayed(stored: NDArray[Any], header: Dataset) -> DecodedImage:
    """Return the pixels of one frame as a viewer displays them.

    MONOCHROME goes through Modality LUT and VOI LUT or window (the first one) to 8 bits where a window or VOI LUT is
    given. Without one, up to 8 bits are stretched to 0–255, and of more bits the stored values are kept: from 0 (signed
    ones shifted) to a white of 2^BitsStored − 1, the same for every frame and file. Full 16 bits do not define the
    scale, since 8-bit and 12-bit values are stored in them too: unsigned MONOCHROME2 of 16 bits has no stated white.
    MONOCHROME1 is inverted, so that echoes are bright. All values that can be stored are mapped once, into a table of
    2^BitsStored entries.

    Args:
        stored: HW, or HWC for colour (RGB, already converted from YBR), unsigned or signed integers.
        header: The object's elements; BitsStored must be 1–16.

    Returns:
        uint8 or uint16, HW, or HWC for colour and palettes.

    Raises:
        ValueError: The window or a lookup table of the object is inconsistent.

    Source:
        DICOM PS3.3 sections C.7.6.3 (Image Pixel), C.11.1 (Modality LUT) and C.11.2 (VOI LUT).
    """
    white = 2 ** int(header.BitsStored) - 1
    if stored.ndim == 3:
        if white > 255:
            return DecodedImage(stored.astype(np.uint16), white)
        return DecodedImage(stored if white == 255 else np.rint(stored * (255 / white)).astype(np.uint8))
    is_palette = header.PhotometricInterpretation == "PALETTE COLOR"
    table = _palette_table(header) if is_palette else _grey_table(header)
    # The remainder also maps negative values to the upper half of the table and drops overlay bits above Bits Stored.
    pixels = table[stored.astype(np.int32) % (white + 1)]
    if pixels.dtype == np.uint8:
        return DecodedImage(pixels)
    is_plain = header.PhotometricInterpretation == "MONOCHROME2" and header.PixelRepresentation == 0
    return DecodedImage(pixels, None if white == 65535 and is_plain else white)


def _grey_table(header: Dataset) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """uint8 or uint16 grey of every stored value of a MONOCHROME object."""
    values = _stored_values(header)
    is_inverted = header.PhotometricInterpretation == "MONOCHROME1"
    shown = _windowed(values, header)
    if shown is None:
        kept = values - values.min()
        if len(kept) > 256:
            return np.asarray(kept[::-1] if is_inverted else kept, dtype=np.uint16)
        shown = kept / kept.max()
    return np.rint((1 - shown if is_inverted else shown) * 255).astype(np.uint8)


def _palette_table(header: Dataset) -> Image:
    """uint8 RGB, N3, of every stored value of a PALETTE COLOR object."""
    from pydicom.pixels.processing import apply_color_lut

    n_entries, first, _ = header.RedPaletteColorLookupTableDescriptor
    # Values outside the table take its first or last entry; pydicom 3.0 wraps them where the entries have 8 bits.
    values = np.clip(_stored_values(header), first, first + (n_entries or 2**16) - 1)
    colours = apply_color_lut(values, header)[..., :3]
    # Entries of 16 bits are full-scale by the standard, but many machines write 8-bit colours into them.
    eight_bit = colours if colours.max() <= 255 else (colours.astype(np.uint32) + 128) // 257
    return np.asarray(eight_bit, dtype=np.uint8)


def _stored_values(header: Dataset) -> IntArray:
    """Every value that can be stored, at the place of its bit pattern: 0, 1, … and for signed data then −N/2 … −1."""
    n_values = 2 ** int(header.BitsStored)
    values = np.arange(n_values, dtype=np.int64)
    return np.where(values < n_values // 2, values, values - n_values) if header.PixelRepresentation == 1 else values


def _windowed(values: IntArray, header: Dataset) -> FloatArray | None:
    """Return 0–1 by the object's VOI LUT or window, None where it has neither."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    if header.get("VOILUTSequence"):
        bits = int(header.VOILUTSequence[0].LUTDescriptor[2])
        looked_up = apply_voi(apply_modality_lut(values, header).astype(np.int64), header)
        shown: NDArray[np.float64] = np.clip(looked_up / (2**bits - 1), 0, 1)
        return shown
    centre, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    if centre is None or width is None:
        return None
    real = apply_modality_lut(values, header).astype(np.float64)
    function = str(header.get("VOILUTFunction") or "LINEAR").upper()
    return _through_window(real, centre, width, function)


def _through_window(real: FloatArray, centre: float, width: float, function: str) -> FloatArray:
    """The three functions of PS3.3 section C.11.2.1.2 and C.11.2.1.3, with an output of 0–1."""
    # The output range of pydicom's apply_windowing depends on rescale and LUT and would have to be computed again.
    if function == "LINEAR" and width >= 1:
        centre, width = centre - 0.5, width - 1
        return (real > centre).astype(np.float64) if width == 0 else np.clip((real - centre) / width + 0.5, 0, 1)
    if function == "LINEAR_EXACT" and width > 0:
        return np.clip((real - centre) / width + 0.5, 0, 1)
    if function == "SIGMOID" and width > 0:
        return np.asarray(expit(4 * (real - centre) / width))
    raise ValueError(f"window width {width} does not fit VOI LUT function {function}")


def _first(value: Any) -> float | None:
    """The first of one or several numbers, None where there is none."""
    from pydicom.multival import MultiValue

    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    return None if value is None else float(value)
