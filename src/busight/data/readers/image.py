"""Reading of image files: stored pixels, 8-bit images, masks; every fault is a one-line error."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from busight.data.image_spec import GREY, ImageSpec, Pixels, colour_share
from busight.data.readers.decode import decode, image_size
from busight.data.readers.source import named
from busight.errors import ImageError
from busight.types import Image, Mask

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Suffixes, in lower case, of the files that ``read_image`` and ``read_mask`` take."""

MASK_SUFFIX = re.compile(r"_mask(_\d+)?$")
"""The end of the stem of a mask file: ``NAME_mask.png``, ``NAME_mask_1.png`` beside ``NAME.png``."""


def read_image(source: Path | bytes, name: str = "") -> Pixels:
    """Read the pixels of an image file as they are stored, upright by its EXIF orientation.

    1-bit grey is given as 0 and 255, palettes by their colours, PGM and PPM with a maxval below 255 stretched to 255,
    16-bit TIFF whose white is 0 inverted. CMYK is refused, because its grey depends on a printer's profile, and so is
    floating point, which has no scale. A file with several frames or pages is refused.

    Args:
        source: A BMP, GIF, JPEG, PGM, PNG, PPM, TIFF or WebP file with one image, or its content. The format is read
            from the content, not from the suffix.
        name: Its name in messages; the path, or "image" for bytes, where empty.

    Returns:
        uint8, or uint16 for files of more than 8 bits; HW for grey, HWC with three channels for colour, with four where
        some pixel is transparent.

    Raises:
        ImageError: The file is missing, empty, no image, damaged, animated, smaller than ``MIN_SIDE`` a side, larger
            than ``MAX_PIXELS`` (by the header, before decoding), or of a kind named above as refused.
    """
    return decode(source, named(source, name)).pixels


def read_image_as(source: Path | bytes, spec: ImageSpec, name: str = "") -> Image:
    """Read an image file as ``spec`` says.

    Args:
        source: As for ``read_image``.
        spec: Grey or RGB, and how more than 8 bits are mapped to 8.
        name: As for ``read_image``.

    Returns:
        uint8, HW or HWC, 0–255.

    Raises:
        ImageError: As for ``read_image`` and ``ImageSpec.apply``.
    """
    name = named(source, name)
    decoded = decode(source, name)
    return spec.apply(decoded.pixels, decoded.white_level, name)


def read_grey(source: Path | bytes, name: str = "") -> Image:
    """Read an image file as 8-bit grey by the rules of ``ImageSpec.apply``.

    12-bit grey is read where the file states its scale (PGM, 12-bit TIFF). In a 16-bit PNG it does not; such files are
    read by ``read_image_as(source, ImageSpec(bits=12))``.

    Args:
        source: As for ``read_image``.
        name: As for ``read_image``.

    Returns:
        uint8, HW, 0–255.

    Raises:
        ImageError: As for ``read_image``; or values that fill neither 8 nor 16 bits.
    """
    return read_image_as(source, GREY, name)


def read_mask(source: Path | bytes, name: str = "") -> Mask:
    """Read a lesion mask.

    Masks come as 1-bit, grey, palette or colour files and with three kinds of values: 0 and 255 (every mask of BUSI and
    BUS-BRA), small labels (0 and 1, or one number for each lesion), and image intensities with soft edges (JPEG,
    anti-aliasing). So where every value is below 128 they are labels, and all but 0 is lesion; otherwise the lesion is
    where the value is 128 or more.

    Args:
        source: As for ``read_image``.
        name: As for ``read_image``.

    Returns:
        bool, HW, True inside the lesion; no True at all for an empty mask.

    Raises:
        ImageError: As for ``read_grey``.
    """
    grey = read_grey(source, name)
    return grey >= 128 if bool(np.any(grey >= 128)) else grey > 0


def read_painted_mask(source: Path | bytes, name: str = "") -> Mask:
    """Read a mask whose lesions are painted in any colour, or by opacity alone.

    Where the file has transparent pixels, all that is not transparent is lesion, whatever its colour. Otherwise the
    brightest channel of each pixel counts by the rule of ``read_mask``: pure red (luma 76) is lesion beside pure green
    (luma 150).

    Args:
        source: As for ``read_image``.
        name: As for ``read_image``.

    Returns:
        bool, HW, True inside the lesion.

    Raises:
        ImageError: As for ``read_image``.
    """
    pixels = read_image(source, name)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return pixels[:, :, 3] > 0
    strongest = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    middle = (int(np.iinfo(pixels.dtype).max) + 1) // 2
    return strongest >= middle if bool(np.any(strongest >= middle)) else strongest > 0


def read_colour_share(source: Path | bytes) -> float:
    """Return the share of an image's pixels whose channels differ by more than 8 of 255; 0 for a grey file.

    Raises:
        ImageError: As for ``read_image``.
    """
    return colour_share(read_image(source))


def read_size(source: Path | bytes) -> tuple[int, int] | None:
    """Return width and height from the header of an image file; None where it cannot be read."""
    try:
        return image_size(source, named(source, ""))
    except ImageError:
        return None
