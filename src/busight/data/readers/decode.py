"""Decoding of image files of any format to their stored pixels, upright; every fault is a one-line error."""

from __future__ import annotations

import struct
import warnings as python_warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT, TiffImageFile

from busight.data.image_spec import Pixels, full_scale
from busight.data.readers import pnm
from busight.data.readers.completeness import require_all_pixels
from busight.data.readers.png_pixels import is_png, stored_png
from busight.data.readers.source import DAMAGE, MAX_FILE_BYTES, MAX_PIXELS, check_size, opened, reason
from busight.data.readers.wide_colour import is_wide_colour, raw_mode_of, read_wide_colour
from busight.errors import ImageError

_FORMATS = ("BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
_GREY_MODES = frozenset({"1", "L"})
_WIDE_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_COLOUR_MODES = frozenset({"LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"})

_WHITE_IS_ZERO = 0
"""TIFF 6.0, section 8, PhotometricInterpretation."""

_LEAST_DEEP = 1023
"""White, of 10 bits, from which an image without a value above 255 is so dark that it may hold 8-bit values."""

_SIGNED = 2
"""TIFF 6.0, section 19, SampleFormat."""


class DecodedImage(NamedTuple):
    """Pixels as stored.

    Attributes:
        pixels: uint8 or uint16; HW, HWC with three channels, or four of which the last is opacity.
        white_level: The value of white where the file states one that its type does not; None otherwise.
        warnings: What was assumed or ignored, each a few words.
    """

    pixels: Pixels
    white_level: int | None = None
    warnings: tuple[str, ...] = ()


def decode(source: Path | bytes, name: str) -> DecodedImage:
    """Decode an image file, upright by its EXIF orientation.

    Args:
        source: The file or its content; BMP, GIF, JPEG, JPEG 2000, PGM, PNG, PPM, TIFF or WebP.
        name: Its name in messages.

    Raises:
        ImageError: As for ``busight.data.readers.image.read_image``.
    """
    with _guarded(name), opened(source, name, MAX_FILE_BYTES) as stream:
        if pnm.is_pnm(stream):
            header = pnm.read_header(stream)
            check_size(name, header.width, header.height)
            pixels = pnm.read_pixels(stream, header)
            if pnm.is_pnm(stream):
                raise ImageError(f"{name}: holds several images, one is needed; export the one to be read as PNG")
            if stream.read(4096).strip():
                raise ValueError(f"more follows than its {header.width}×{header.height} pixels")
            return _stated_scale(pixels, header.maxval)
        checked = stored_png(stream, name) if is_png(stream) else stream
        with _opened_picture(checked, name) as picture:
            return _decoded(picture, checked, name)


def image_size(source: Path | bytes, name: str) -> tuple[int, int]:
    """Return width and height of the upright image by the header of its file.

    Raises:
        ImageError: As for ``decode``.
    """
    with _guarded(name), opened(source, name, MAX_FILE_BYTES) as stream:
        if pnm.is_pnm(stream):
            header = pnm.read_header(stream)
            return header.width, header.height
        with _opened_picture(stream, name) as picture:
            # Of a TIFF Pillow gives the upright size already.
            is_turned = not isinstance(picture, TiffImageFile) and _orientation(picture, stream) in (5, 6, 7, 8)
            return picture.size[::-1] if is_turned else picture.size


def exif_orientation(source: Path | bytes) -> int | None:
    """Return the EXIF orientation, 1 to 8, that an image file states; None where it states none or cannot be read.

    Source:
        EXIF 2.3, section 4.6.4.
    """
    try:
        with _guarded(""), opened(source, "", MAX_FILE_BYTES) as stream:
            if pnm.is_pnm(stream):
                return None
            with _opened_picture(stream, "") as picture:
                orientation = _orientation(picture, stream)
    except ImageError:
        return None
    return orientation if orientation in range(1, 9) else None


def _orientation(picture: ImageFile, stream: BinaryIO) -> int | None:
    if isinstance(picture, PngImageFile) and _has_late_metadata(stream):
        picture.load()
    # Not the method of `PngImageFile`, which decodes every PNG without EXIF.
    return Pillow.Image.getexif(picture).get(ExifTags.Base.Orientation)


def _has_late_metadata(stream: BinaryIO) -> bool:
    """Return whether a PNG carries EXIF or text behind its pixels, which only decoding reaches; keeps the position."""
    place, has_pixels = stream.tell(), False
    stream.seek(8)
    try:
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            has_pixels = has_pixels or kind == b"IDAT"
            if has_pixels and kind in (b"eXIf", b"iTXt", b"tEXt", b"zTXt"):
                return True
            stream.seek(length + 4, 1)
        return False
    finally:
        stream.seek(place)


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn any error of a decoder into an ImageError."""
    try:
        # Pillow warns of large sizes and odd metadata; check_size and the checks below decide instead.
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            yield
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: no image (BMP, GIF, JPEG, JPEG 2000, PGM, PNG, PPM, TIFF or WebP) of a kind that is read can be "
            "found in it; export it again, as 8-bit PNG"
        ) from error
    except Pillow.DecompressionBombError as error:
        raise ImageError(f"{name}: at most {MAX_PIXELS} pixels are decoded; scale or crop it first") from error
    except DAMAGE as error:
        raise ImageError(f"{name}: truncated or damaged ({reason(error)}); copy or export it again") from error


@contextmanager
def _opened_picture(stream: BinaryIO, name: str) -> Iterator[ImageFile]:
    """Yield the opened, checked, not yet decoded image."""
    with _opened_by_pillow(stream) as picture:
        check_size(name, *picture.size)
        n_frames = getattr(picture, "n_frames", 1)
        if n_frames != 1:
            raise ImageError(
                f"{name}: holds {n_frames} frames or pages, one is needed; export the one to be read as PNG"
            )
        if picture.mode not in _GREY_MODES | _WIDE_MODES | _COLOUR_MODES:
            raise ImageError(f"{name}: pixel mode {picture.mode} has no agreed grey; export it as 8-bit grey or RGB")
        # Pillow gives wider signed values with their sign, and those of 8 bits as unsigned ones.
        if (
            isinstance(picture, TiffImageFile)
            and picture.mode != "I"
            and _SIGNED in picture.tag_v2.get(SAMPLEFORMAT, ())
        ):
            raise ImageError(f"{name}: its values are signed (SampleFormat 2), 0 is no black; scale them to 0–255")
        yield picture


def _opened_by_pillow(stream: BinaryIO) -> ImageFile:
    try:
        return Pillow.open(stream, formats=_FORMATS)
    except UnidentifiedImageError:
        stream.seek(0)
        if is_png(stream):
            PngImageFile(stream)  # raises what is wrong with it, which `Pillow.open` does not tell
        raise


def _decoded(picture: ImageFile, stream: BinaryIO, name: str) -> DecodedImage:
    is_wide = is_wide_colour(picture)
    if is_wide:
        check_size(name, *picture.size)
    require_all_pixels(picture, stream)
    _scale_transparency(picture)
    picture.load()  # a PNG may carry its EXIF block behind the pixels
    white_level: int | None = None
    warnings: tuple[str, ...] = ()
    if is_wide:
        pixels, white_level, warnings = _wide_colour(stream, name)
    elif picture.mode in _WIDE_MODES:
        pixels, white_level, warnings = _wide_grey(picture, name)
    elif picture.has_transparency_data:
        rgba = picture.convert("LA").convert("RGBA") if picture.mode == "La" else picture.convert("RGBA")
        is_opaque = rgba.getchannel("A").getextrema() == (255, 255)
        pixels = np.array(rgba.convert("RGB") if is_opaque else rgba)
    else:
        mode = "L" if picture.mode in _GREY_MODES else "RGB"
        pixels = np.array(picture if picture.mode == mode else picture.convert(mode))
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return DecodedImage(np.ascontiguousarray(upright(pixels, orientation)), white_level, warnings)


def _scale_transparency(picture: ImageFile) -> None:
    """Bring the transparent grey of a PNG of 2 or 4 bits to 0–255, to which Pillow stretches its pixels alone."""
    step = {"L;2": 85, "L;4": 17}.get(raw_mode_of(picture))
    if isinstance(picture, PngImageFile) and step and "transparency" in picture.info:
        picture.info["transparency"] *= step


def _wide_grey(picture: ImageFile, name: str) -> DecodedImage:
    """Return grey of 12 or 16 bits, white above black; with opacity as four channels."""
    values = np.asarray(picture)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ImageError(f"{name}: grey values {low} to {high}, 0 to 65535 are read; scale them to 0–255")
    pixels = values.astype(np.uint16)
    if isinstance(picture, PngImageFile) and (pixels == picture.info.get("transparency")).any():
        opacity = np.where(pixels == picture.info["transparency"], 0, 65535).astype(np.uint16)
        return DecodedImage(np.stack([pixels, pixels, pixels, opacity], axis=-1), None, _low_values(pixels))
    if not isinstance(picture, TiffImageFile):
        return DecodedImage(pixels, None, _low_values(pixels))
    if picture.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:  # of 8-bit files Pillow inverts these itself
        return _inverted(pixels, name)
    if picture.tag_v2.get(BITSPERSAMPLE) == (12,):
        return _stated_scale(pixels, 4095)
    return DecodedImage(pixels, None, _low_values(pixels))


def _inverted(pixels: NDArray[np.uint16], name: str) -> DecodedImage:
    """Invert grey whose white is 0, unless that makes a bright image: many programs state it and store black as 0."""
    black = full_scale(pixels)
    if black is None:
        raise ImageError(
            f"{name}: white is 0 and the values go up to {int(pixels.max())}, so which one is black is unknown; "
            "save it with black as 0"
        )
    inverted = (black - pixels).astype(np.uint16)
    brightness = float(inverted.mean()) / black
    if brightness > 0.5:
        raise ImageError(
            f"{name}: PhotometricInterpretation says that white is 0, but the image is then bright (mean grey "
            f"{brightness:.0%}) as no ultrasound image is, and 16-bit files often state it wrongly; "
            "save it with black as 0"
        )
    return DecodedImage(inverted, None, ("white is 0 by its PhotometricInterpretation, so it was inverted",))


def _low_values(pixels: Pixels) -> tuple[str, ...]:
    """Return the warning of an image that may hold 8-bit values in 16 bits; none where a value is above 255."""
    high = int(pixels.max())
    return (f"none of its 16-bit values is above {high}: they may be 8-bit ones",) if 0 < high <= 255 else ()


def _stated_scale(pixels: Pixels, white: int) -> DecodedImage:
    """Return pixels of which the file states the value of white, with a warning where they may be 8-bit ones."""
    if white == 65535:  # written by many programs whatever the values are
        return DecodedImage(pixels, None, _low_values(pixels))
    if white < _LEAST_DEEP:
        return DecodedImage(pixels, white if white > 255 else None)
    high = int(pixels.max())
    warning = f"none of its values is above {high} of {white}: they may be 8-bit ones, which are then too dark"
    return DecodedImage(pixels, white, (warning,) if 0 < high <= 255 else ())


def _wide_colour(stream: BinaryIO, name: str) -> DecodedImage:
    pixels = read_wide_colour(stream)
    if pixels is None:
        raise ImageError(f"{name}: 16-bit colour of this kind is not read; export it as 8-bit RGB")
    return DecodedImage(pixels, None, _low_values(pixels[..., :3]))


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror an image by its EXIF orientation (EXIF 2.3, section 4.6.4); unknown values change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
