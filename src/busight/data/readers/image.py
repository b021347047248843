"""Reading of image files: stored pixels, 8-bit images; every fault is a one-line error."""

from __future__ import annotations

from pathlib import Path

from busight.data.image_spec import GREY, ImageSpec, Pixels, colour_share
from busight.data.readers.decode import decode, image_size
from busight.data.readers.source import named
from busight.errors import ImageError
from busight.types import Image

IMAGE_SUFFIXES = frozenset({
    ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif",
    ".tiff", ".webp",
})  # fmt: skip
"""Suffixes, in lower case, of the files that ``read_image`` and ``read_mask`` take."""


def read_image(source: Path | bytes, name: str = "") -> Pixels:
    """Read the pixels of an image file as they are stored, upright by its EXIF orientation.

    1-bit grey is given as 0 and 255, palettes by their colours, PGM and PPM with a maxval below 255 stretched to 255,
    16-bit TIFF whose white is 0 inverted. CMYK is refused, because its grey depends on a printer's profile, and so is
    floating point, which has no scale. A file with several frames or pages is refused.

    Args:
        source: A BMP, GIF, JPEG, JPEG 2000, PGM, PNG, PPM, TIFF or WebP file with one image, or its content. The
            format is read from the content, not from the suffix.
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


def read_colour_share(source: Path | bytes) -> float:
    """Return the share of an image's pixels whose channels differ by more than 8 of 255; 0 for a grey file.

    Raises:
        ImageError: As for ``read_image``.
    """
    return colour_share(read_image(source))


def read_size(source: Path | bytes) -> tuple[int, int] | None:
    """Return width and height of the upright image by the header of its file; None where it cannot be read."""
    try:
        return image_size(source, named(source, ""))
    except ImageError:
        return None
