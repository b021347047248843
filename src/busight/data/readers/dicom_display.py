"""Turns the values that a DICOM object stores into 8-bit grey as a viewer would show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from busight.types import FloatArray, Image, IntArray

if TYPE_CHECKING:
    from pydicom import Dataset


def to_grey(stored: NDArray[Any], header: Dataset) -> Image:
    """Return one frame as grey.

    MONOCHROME goes through Modality LUT and VOI LUT or window (the first one) where a window or VOI LUT is given;
    without one, the whole range of Bits Stored is mapped linearly to 0–255, the same for every frame and file.
    MONOCHROME1 is inverted, so that echoes are bright. Colour becomes ITU-R 601 luma; equal channels give exactly that
    channel. All values that can be stored are mapped once into a table of 2^BitsStored entries.

    Args:
        stored: HW, or HWC for colour (RGB, already converted from YBR), unsigned or signed integers.
        header: The object's elements; BitsStored must be 1–16.

    Returns:
        uint8, HW, 0–255.

    Raises:
        ValueError: The window or a lookup table of the object does not hold together.

    Source:
        DICOM PS3.3 sections C.7.6.3 (Image Pixel), C.11.1 (Modality LUT) and C.11.2 (VOI LUT).
    """
    n_values = 2 ** int(header.BitsStored)
    if stored.ndim == 3:
        eight_bit = stored if n_values == 256 else np.rint(stored * (255 / (n_values - 1)))
        return _luma(eight_bit)
    table = _palette_table(header) if header.PhotometricInterpretation == "PALETTE COLOR" else _grey_table(header)
    # The remainder also maps negative values to the upper half of the table and drops overlay bits above Bits Stored.
    grey: Image = table[stored.astype(np.int32) % n_values]
    return grey


def _grey_table(header: Dataset) -> Image:
    """uint8 grey of every stored value of a MONOCHROME object."""
    values = _stored_values(header)
    shown = _windowed(values, header)
    if shown is None:
        low = int(values.min())
        shown = (values - low) / (int(values.max()) - low)
    if header.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    return np.rint(shown * 255).astype(np.uint8)


def _palette_table(header: Dataset) -> Image:
    """uint8 grey of every stored value of a PALETTE COLOR object."""
    from pydicom.pixels.processing import apply_color_lut

    n_entries, first, _ = header.RedPaletteColorLookupTableDescriptor
    # Values outside the table take its first or last entry; pydicom 3.0 wraps them where the entries have 8 bits.
    values = np.clip(_stored_values(header), first, first + (n_entries or 2**16) - 1)
    colours = apply_color_lut(values, header)[..., :3]
    # Entries of 16 bits are full-scale by the standard, but many machines write 8-bit colours into them.
    return _luma(colours if colours.max() <= 255 else (colours.astype(np.uint32) + 128) // 257)


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
    if function == "LINEAR" and width >= 1:
        centre, width = centre - 0.5, width - 1
        return (real > centre).astype(np.float64) if width == 0 else np.clip((real - centre) / width + 0.5, 0, 1)
    if function == "LINEAR_EXACT" and width > 0:
        return np.clip((real - centre) / width + 0.5, 0, 1)
    if function == "SIGMOID" and width > 0:
        # The exponent is limited only so far that exp() cannot overflow; the value is 0 or 1 there anyway.
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (real - centre) / width, -700, 700))))
    raise ValueError(f"window width {width} does not fit VOI LUT function {function}")


def _first(value: Any) -> float | None:
    """The first of one or several numbers, None where there is none."""
    from pydicom.multival import MultiValue

    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    return None if value is None else float(value)


def _luma(colours: NDArray[Any]) -> Image:
    """ITU-R 601 luma of 8-bit RGB by Pillow, the same as for ordinary picture files; (..., 3) to uint8 (...)."""
    flat = np.ascontiguousarray(colours.reshape(1, -1, 3) if colours.ndim == 2 else colours, dtype=np.uint8)
    return np.array(Pillow.fromarray(flat, mode="RGB").convert("L")).reshape(colours.shape[:-1])
