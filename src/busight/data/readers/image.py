"""Reads ordinary picture files: every one becomes a grey picture or a mask, or is refused with one line."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from busight.errors import ImageError
from busight.types import Image, Mask

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Suffixes, in lower case, of the files that ``read_grey`` and ``read_mask`` take."""

MASK_SUFFIX = re.compile(r"_mask(_\d+)?$")
"""How the stem of a mask file ends: ``NAME_mask.png``, ``NAME_mask_1.png`` beside ``NAME.png``."""

MAX_PIXELS = 64 * 1024 * 1024
"""64 megapixels: fifty times the largest ultrasound screen, and still under 300 MB while it is decoded."""

MIN_SIDE = 16
"""Pixels. Below this no lesion can be told from its surroundings; such files are icons or damaged."""

DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What the decoders of Pillow and pydicom raise on damaged bytes; neither library has one class for it."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_GREY_MODES = frozenset({"1", "L"})
_WIDE_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_COLOUR_MODES = frozenset({"LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"})


def read_grey(path: Path) -> Image:
    """Read a picture file as grey.

    8-bit grey is taken as it is, and 1-bit grey as 0 and 255. Colour becomes ITU-R 601 luma; equal channels give
    exactly that channel. Transparent pixels are laid over black, the surround of every ultrasound picture. 16-bit grey
    whose largest value is at most 255 is 8-bit grey in a wide file; from 32768 up it is a full-scale picture and is
    divided by 257 (so that 65535 gives 255); between the two nobody can know the scale and the file is refused.
    CMYK is refused, because its grey depends on a printer's profile, and so is floating point, which has no scale.
    The EXIF orientation is applied.

    Args:
        path: A BMP, GIF, JPEG, PNG, TIFF or WebP file with one picture. What counts is the content, not the suffix.

    Returns:
        uint8, HW, 0–255.

    Raises:
        ImageError: The file is missing, empty, no picture, damaged, animated, smaller than ``MIN_SIDE`` a side, larger
            than ``MAX_PIXELS`` (found from the header, before decoding), or of a mode named above as refused.

    Source:
        ITU-R Recommendation BT.601-7, section 2.5.1: luma = 0.299 R + 0.587 G + 0.114 B.
    """
    with _opened(path) as picture:
        return _as_grey(path, picture)


def read_mask(path: Path) -> Mask:
    """Read a lesion mask.

    Masks come as 1-bit, grey, palette or colour files and with three kinds of values: 0 and 255 (every mask of BUSI and
    BUS-BRA), small labels (0 and 1, or one number for each lesion), and picture intensities with soft edges (JPEG,
    anti-aliasing). So where every value is below 128 they are labels, and all but 0 is lesion; otherwise the lesion is
    where the value is 128 or more.

    Args:
        path: As for ``read_grey``.

    Returns:
        bool, HW, True inside the lesion; no True at all for an empty mask.

    Raises:
        ImageError: As for ``read_grey``.
    """
    grey = read_grey(path)
    return grey >= 128 if bool(np.any(grey >= 128)) else grey > 0


def read_colour_share(path: Path) -> float:
    """Return the share of a picture's pixels whose channels differ by more than 8 of 255; 0 for a grey file.

    Raises:
        ImageError: As for ``read_grey``.
    """
    with _opened(path) as picture:
        if picture.mode not in _COLOUR_MODES:
            return 0.0
        rgb = np.asarray(picture.convert("RGB"), dtype=np.int16)
        return float((np.ptp(rgb, axis=2) > 8).mean())


def read_size(path: Path) -> tuple[int, int] | None:
    """Return width and height from the header of a picture; None where it cannot be read."""
    try:
        with _opened(path) as picture:
            return picture.size
    except ImageError:
        return None


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture by the size that its header states, before a pixel of it is decoded.

    Raises:
        ImageError: Below ``MIN_SIDE`` a side or above ``MAX_PIXELS`` in all.
    """
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{path}: {width}×{height} pixels, needs at least {MIN_SIDE} a side; use the full picture")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{path}: {width}×{height} pixels, at most {MAX_PIXELS} are decoded; scale or crop the picture first"
        )


def check_file(path: Path) -> None:
    """Refuse a path at which there is nothing to decode.

    Raises:
        ImageError: No file there, or an empty one.
    """
    try:
        is_file, size = path.is_file(), path.stat().st_size
        if is_file:
            path.open("rb").close()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ImageError(f"{path}: cannot be reached ({_reason(error)}); check the path") from error
    if not is_file:
        raise ImageError(f"{path}: not a file; name the picture itself, or mend the permissions of the folder")
    if size == 0:
        raise ImageError(f"{path}: the file is empty (0 bytes); copy it again from where it came")


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """Yield the opened, checked, not yet decoded picture; whatever Pillow raises inside becomes an ImageError."""
    check_file(path)
    try:
        # Pillow warns of large sizes and odd metadata; check_size and the checks below decide instead.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=_FORMATS) as picture:
                _check_header(path, picture)
                yield picture
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path}: no picture (BMP, GIF, JPEG, PNG, TIFF or WebP) can be found in it; export it again"
        ) from error
    except Pillow.DecompressionBombError as error:
        raise ImageError(f"{path}: at most {MAX_PIXELS} pixels are decoded; scale or crop the picture first") from error
    except DAMAGE as error:
        raise ImageError(f"{path}: truncated or damaged ({_reason(error)}); copy or export it again") from error


def _check_header(path: Path, picture: Pillow.Image) -> None:
    check_size(path, *picture.size)
    n_frames = getattr(picture, "n_frames", 1)
    if n_frames != 1:
        raise ImageError(f"{path}: holds {n_frames} frames or pages, one is needed; export the one to be read as PNG")
    if picture.mode not in _GREY_MODES | _WIDE_MODES | _COLOUR_MODES:
        raise ImageError(f"{path}: pixel mode {picture.mode} has no agreed grey; export it as 8-bit grey or RGB")


def _as_grey(path: Path, picture: Pillow.Image) -> Image:
    """Decode, turn upright, and give the grey of the mode; uint8 HW."""
    picture.load()  # a PNG may carry its EXIF block behind the pixels
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in _WIDE_MODES:
        return _narrowed(path, np.asarray(upright).astype(np.int64))
    if upright.mode in _GREY_MODES and not upright.has_transparency_data:
        return np.array(upright.convert("L"))
    rgba = upright.convert("LA").convert("RGBA") if upright.mode == "La" else upright.convert("RGBA")
    luma = np.array(rgba.convert("RGB").convert("L"))
    alpha = np.asarray(rgba.getchannel("A"), dtype=np.uint32)
    return ((luma * alpha + 127) // 255).astype(np.uint8)


def _narrowed(path: Path, wide: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Image:
    """Bring 16-bit grey to 8 bits by the rule of ``read_grey``."""
    low, high = int(wide.min()), int(wide.max())
    if low >= 0 and high <= 255:
        return wide.astype(np.uint8)
    if low >= 0 and 32768 <= high <= 65535:
        return ((wide + 128) // 257).astype(np.uint8)
    raise ImageError(
        f"{path}: grey values {low} to {high} fill neither 8 nor 16 bits, so their scale is unknown; "
        "scale them to 0–255 and save as 8-bit grey"
    )


def _reason(error: BaseException) -> str:
    """The first line of what a library said, or the kind of error where it said nothing."""
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
