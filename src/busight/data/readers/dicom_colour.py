"""Choice between RGB and YBR for the three components of a DICOM image, whose label is often wrong.

Ultrasound is mostly grey: in RGB grey has three equal components, in YBR two in the middle of the range.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers.stream_header import ColourSpace
from busight.errors import ImageError

_EQUAL = 16 / 255
"""Share of the range by which the components of grey differ at most: lossy compression makes them differ."""

_SAME = 2 / 255
"""The like of ``_EQUAL`` for uncompressed pixels: neighbours, which a wrong layout puts together, differ by more."""

_CLEAR_SHARE = 0.3
"""Share of grey pixels from which a reading counts as that of an ultrasound image: of an image with a Doppler box or a
coloured screen around it more than half is grey or black."""

_CLEAR_RATIO = 10
"""How many times the grey pixels of the other reading it then has."""

_DOUBTFUL_SHARE = 0.05
"""Share of grey pixels from which a reading is possible at all."""


def rgb_of(
    components: NDArray[Any],
    label: str | None,
    labelled: ColourSpace | None,
    name: str,
    marked: ColourSpace | None = None,
    marker: str = "",
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return three components as RGB.

    The stream's own markers come before the label. The pixels have to agree: where they are grey in one reading alone,
    it is theirs, and where they speak against a marker or leave doubt the image is refused.

    Args:
        components: HWC as stored, unsigned integers.
        label: PhotometricInterpretation, for messages; None where it is missing.
        labelled: What it says of these components; None where it says nothing.
        name: The object's name in messages.
        marked: What the stream's own markers say; None where they say nothing.
        marker: The marker that says so.

    Returns:
        RGB, HWC, and the warnings.

    Raises:
        ImageError: Neither markers, label nor pixels tell RGB from YBR, or they contradict each other.

    Source:
        DICOM PS3.3 section C.7.6.3.1.2 (Photometric Interpretation).
    """
    space = _space(grey_shares(components), labelled, marked)
    if space is None:
        said = f"its {marker} says {marked}, " if marked else ""
        raise ImageError(
            f"{name}: PhotometricInterpretation is {label or 'missing'}, {said}and its pixels leave in doubt whether "
            "they are RGB or YBR; export it uncompressed as RGB"
        )
    warnings: tuple[str, ...] = ()
    if space != labelled:
        reason = f"its {marker} says so" if marked else "its pixels are grey only so"
        warnings = (f"PhotometricInterpretation is {label or 'missing'}, read as {space}: {reason}",)
    return components if space == "RGB" else _from_ybr(components, name), warnings


def _space(
    shares: dict[ColourSpace, float], labelled: ColourSpace | None, marked: ColourSpace | None
) -> ColourSpace | None:
    """Return the colour space, None in doubt."""
    clear = [
        space
        for space, share in shares.items()
        if share >= _CLEAR_SHARE and sum(shares.values()) - share < share / _CLEAR_RATIO
    ]
    if clear and marked in (None, clear[0]):
        return clear[0]
    expected = marked or labelled
    if expected is None:
        return None
    against = sum(shares.values()) - shares[expected]
    return expected if against < _DOUBTFUL_SHARE or against <= shares[expected] else None


def same_share(components: NDArray[Any]) -> float:
    """Return the share of the pixels, HWC, that are exactly grey, as RGB or as YBR, among those that are not black."""
    shown = components[components.any(axis=2)][None]
    return sum(grey_shares(shown, _SAME).values()) if shown.size else 1.0


def grey_shares(components: NDArray[Any], equal: float = _EQUAL) -> dict[ColourSpace, float]:
    """Return the share of pixels that are grey only if the components, HWC, are RGB, and only if they are YBR.

    Components are equal that differ by at most ``equal`` of the range. Values around its middle are grey in both
    readings and count for neither.
    """
    values = components.astype(np.int32)
    white = 255 if components.dtype.itemsize == 1 else int(values.max(initial=255))
    tolerance = equal * white
    is_grey_rgb = values.max(axis=2) - values.min(axis=2) <= tolerance
    is_grey_ybr = (np.abs(values[..., 1:] - (white + 1) // 2) <= tolerance / 2).all(axis=2)
    return {"RGB": float((is_grey_rgb & ~is_grey_ybr).mean()), "YBR": float((is_grey_ybr & ~is_grey_rgb).mean())}


def _from_ybr(components: NDArray[Any], name: str) -> NDArray[Any]:
    from pydicom.pixels.processing import convert_color_space

    if components.dtype != np.uint8:
        raise ImageError(f"{name}: YBR of more than 8 bits is not read; export it as RGB")
    return convert_color_space(components, "YBR_FULL", "RGB")
