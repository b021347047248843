"""The bits of a stored DICOM value: where they stand among those allocated, and what is around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers.dicom_format import PixelFormat
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset


def holds_overlay(header: Dataset) -> bool:
    """Return whether an overlay is stored in the unused bits of the pixels (retired, PS3.3 section C.9.2)."""
    return any(
        tag.group >> 8 == 0x60 and tag.element == 0x0102 and bool(header[tag].value)
        for tag in header.keys()  # noqa: SIM118, iterating a data set converts every element
    )


def aligned(
    stored: NDArray[Any], form: PixelFormat, has_overlay_bits: bool, name: str
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return stored values without the bits around them, signed or unsigned as they are, and a warning if any.

    Args:
        stored: HW or HWC integers.
        form: How they are stored.
        has_overlay_bits: The bits above the value hold an overlay.
        name: The object's name in messages.

    Raises:
        ImageError: Values that Bits Stored does not allow.
    """
    n_values = 2**form.bits_stored
    lowest = -n_values // 2
    warnings: tuple[str, ...] = ()
    values = stored.astype(np.int32)
    low, high = int(values.min()), int(values.max())
    is_inside = lowest <= low and high < n_values
    unused = form.bits_allocated - form.bits_stored
    if form.shift and is_inside and (values & (2**form.shift - 1)).any():
        warnings = (f"HighBit puts {form.bits_stored} bits at the top, but they are at the bottom and read there",)
    elif form.shift:
        values >>= form.shift
    elif not (is_inside or has_overlay_bits or (values & (2**unused - 1)).any()):
        warnings = (f"HighBit puts {form.bits_stored} bits at the bottom, but they are at the top and read there",)
        values >>= unused
    if has_overlay_bits:
        values %= n_values
    low, high = int(values.min()), int(values.max())
    if low < lowest or high >= n_values:
        raise ImageError(
            f"{name}: values {low} to {high} do not fit {form.bits_stored} bits with HighBit "
            f"{form.shift + form.bits_stored - 1}; correct BitsStored or HighBit, or export it as 8-bit"
        )
    if form.is_signed:
        return np.where(values >= -lowest, values - n_values, values).astype(np.int16), warnings
    return (values % n_values).astype(np.uint8 if n_values <= 256 else np.uint16), warnings
