"""The image spec: grey or RGB, 8 to 16 bits, and how decoded pixels become such an image."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydantic import Field

from busight.errors import DataError, ImageError
from busight.types import Image

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""Decoded pixels: uint8 or uint16; HW (grey), HWC with three channels (RGB) or four (RGB and opacity)."""

BIT_DEPTHS = (8, 10, 12, 14, 16)
"""Bit depths of detectors and scanners, from which ``spec_of`` chooses."""

_COLOUR_DIFFERENCE = 8 / 255
"""Share of the range by which a pixel's channels differ before it counts as coloured: JPEG alone makes less."""

_DEEP_WHITE, _NEARLY_BLACK = 2**12 - 1, 1 / 16
"""White from which an image is nearly black that has no value above this share of it: 8-bit values of 12 bits, 12-bit
values of 16."""

_COLOURED_SHARE = 0.05
"""Share of coloured pixels from which an image is a colour image. Coloured marks on a grey ultrasound image cover less:
at most 0.045 in BUSI."""


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The format of the images of a data set, or of the input of a bundle.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        bits: Bits a pixel, 8 to 16: images of 9 bits and more are stored in 16 and fill only the lower ``bits``.
        window: Pixel values shown as black and as white; None for the full range, 0 and 2^bits − 1.

    Example:
        >>> ImageSpec(bits=12).apply(np.array([[0, 2048, 4095]], np.uint16))
        array([[  0, 128, 255]], dtype=uint8)
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    channels: Literal[1, 3] = 1
    bits: Annotated[int, Field(ge=8, le=16)] = 8
    window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raise for a format that is none, also where no pydantic model validates it."""
        if self.channels not in (1, 3) or not 8 <= self.bits <= 16:
            raise ValueError(f"an image has 1 or 3 channels of 8 to 16 bits, not {self.channels} of {self.bits}")
        if self.window is not None and not -math.inf < self.window[0] < self.window[1] < math.inf:
            raise ValueError(f"a window goes from a lower to a higher value, not from {self.window[0]}")

    def apply(self, pixels: Pixels, white_level: int | None = None, name: str = "image") -> Image:
        """Return decoded pixels as 8-bit grey or RGB.

        Without a window, pixels whose own scale is known (8-bit pixels, or a stated ``white_level``) are mapped from
        that scale; so an 8-bit image is left alone. Others are taken to have ``bits`` bits. Where these are 8, 16-bit
        pixels are 8-bit ones in a wide file if none is above 255, and full-scale from 32768 up; between the two the
        scale is unknown and the image is refused; so it is where they are 12 or more and no value is above a
        sixteenth of white (255 of 12 bits, 4095 of 16). Values of one to three bits fewer than ``bits`` are taken as
        they are, a dark image. A window holds for images of ``bits`` bits, and for no others.

        Colour becomes ITU-R 601 luma where grey is wanted; equal channels give exactly that channel. Grey becomes three
        equal channels where RGB is wanted. Transparent pixels are composited over black, the background of ultrasound
        images.

        Args:
            pixels: uint8 or uint16; HW, HWC with three channels, or four of which the last is opacity.
            white_level: The value that the file states to be white (PGM's maxval, the bits that DICOM stores); None
                where it states none.
            name: What error messages call the image.

        Returns:
            uint8, HW or HWC as ``channels`` says, 0–255; ``pixels`` itself where nothing is to be changed.

        Raises:
            ImageError: Pixels of another shape or type, above the range, or of a scale that is unknown or not that of
                the window.

        Source:
            ITU-R Recommendation BT.601-7, section 2.5.1: luma = 0.299 R + 0.587 G + 0.114 B.
        """
        _check(pixels, name)
        has_opacity = pixels.ndim == 3 and pixels.shape[2] == 4
        eight_bit = self._eight_bit(pixels[..., :3] if has_opacity else pixels, white_level, name)
        if self.channels == 1:
            image = luma(eight_bit) if eight_bit.ndim == 3 else eight_bit
        else:
            image = eight_bit if eight_bit.ndim == 3 else np.repeat(eight_bit[..., None], 3, axis=2)
        return _over_black(image, pixels[..., 3]) if has_opacity else image

    def _eight_bit(self, pixels: Pixels, white_level: int | None, name: str) -> Image:
        """Map pixels without opacity, HW or HWC, to uint8."""
        high = 0
        if pixels.dtype == np.uint8:
            white_level = 255
        else:
            high = int(pixels.max())
        if self.bits == 8 and white_level is None:
            white_level = full_scale(pixels)
            if white_level is None:
                raise ImageError(
                    f"{name}: grey values {int(pixels.min())} to {high} fill neither 8 nor 16 bits, so their scale is "
                    "unknown; scale them to 0–255 and save as 8-bit, or use a bundle trained on images of their bits"
                )
        range_of_bits = 2**self.bits - 1
        white = range_of_bits if white_level is None else white_level
        if high > white:
            raise ImageError(
                f"{name}: pixel values up to {high}, at most {white} are possible in these {white.bit_length()}-bit "
                f"images; scale them to 0–{white}"
            )
        if self.window is None and white_level is None and white >= _DEEP_WHITE and 0 < high <= _NEARLY_BLACK * white:
            raise ImageError(
                f"{name}: none of its values is above {high}, where images of {self.bits} bits go up to {white}: it "
                "would be nearly black, or holds values of fewer bits; scale it to its bits, or save it as 8-bit"
            )
        if self.window is None:
            return _mapped(pixels, 0, white)
        if self.bits == 8:
            return _mapped(_mapped(pixels, 0, white), *self.window)
        if white != range_of_bits:
            raise ImageError(
                f"{name}: goes from 0 to {white}, but the window {self.window} is for {self.bits}-bit images; "
                f"export it with {self.bits} bits"
            )
        return _mapped(pixels, *self.window)


GREY = ImageSpec()
"""8-bit grey: the format of ultrasound images, and the default."""


def spec_of(images: Iterable[Pixels]) -> ImageSpec:
    """Infer the image spec of a data set.

    Bits are the smallest of 8, 10, 12, 14 and 16 that hold the largest value. Channels are three where more than half
    of the images have colour in more than 5 % of their pixels: breast ultrasound is often stored as RGB with equal
    channels and a few coloured marks, and stays grey.

    Args:
        images: Decoded pixels of the data set's images, all of them or a sample; only one is held at a time.

    Raises:
        DataError: No image at all.
        ImageError: Pixels of another shape or type than ``ImageSpec.apply`` takes.
    """
    n_images = n_coloured = high = 0
    for pixels in images:
        _check(pixels, f"image {n_images}")
        n_images += 1
        colours = pixels[..., :3] if pixels.ndim == 3 else pixels
        high = max(high, int(colours.max()))
        n_coloured += colour_share(pixels) > _COLOURED_SHARE
    if n_images == 0:
        raise DataError("no image to tell channels and bits by; name a data set with images")
    return ImageSpec(3 if 2 * n_coloured > n_images else 1, _bits(high))


CLEARLY_COLOURED = 40 / 255
"""Difference of channels, in shares of white, that is no trace of a lossy coder: the hue of Doppler, not of grey."""


def colour_share(pixels: Pixels, difference: float = _COLOUR_DIFFERENCE) -> float:
    """Return the share of pixels whose channels differ by more than a share of white, 8 of 255; 0 for grey, HW."""
    if pixels.ndim == 2:
        return 0.0
    colours = pixels[..., :3]
    white = 255 if pixels.dtype == np.uint8 else 2 ** _bits(int(colours.max())) - 1
    # Highest and lowest of unsigned values: their difference cannot overflow.
    found = colours.max(axis=2) - colours.min(axis=2)
    return float((found > difference * white).mean())


def full_scale(pixels: Pixels) -> int | None:
    """Return the white level of 16-bit pixels where their largest value determines it: 255 or 65535; otherwise None."""
    high = int(pixels.max())
    if high <= 255:
        return 255
    return 65535 if high >= 32768 else None


def luma(colours: Image) -> Image:
    """Return the ITU-R 601 luma of 8-bit RGB, uint8 HWC, as Pillow rounds it: equal channels give that channel."""
    return np.array(Pillow.fromarray(np.ascontiguousarray(colours), mode="RGB").convert("L"))


def _bits(high: int) -> int:
    return next(bits for bits in BIT_DEPTHS if high < 2**bits)


def _check(pixels: NDArray[Any], name: str) -> None:
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if not is_image or pixels.size == 0 or pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"{name}: pixels are {pixels.dtype} {pixels.shape}; give uint8 or uint16 in rows and columns, with 3 or 4 "
            "channels last for colour"
        )


def _mapped(pixels: Pixels, low: float, high: float) -> Image:
    """Map ``low`` to 0 and ``high`` to 255, linearly and clipped, through a table of all values."""
    if pixels.dtype == np.uint8 and (low, high) == (0, 255):
        return np.asarray(pixels, dtype=np.uint8)
    values = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.float64)
    table = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    image: Image = table[pixels]
    return image


def _over_black(image: Image, opacity: Pixels) -> Image:
    """Composite an image over black."""
    # A 16-bit file that holds 8-bit values holds an 8-bit opacity too.
    white = 255 if opacity.dtype == np.uint8 else full_scale(opacity) or 65535
    weight = _mapped(opacity, 0, white).astype(np.uint32)
    return ((image * (weight if image.ndim == 2 else weight[..., None]) + 127) // 255).astype(np.uint8)
