"""Whether a file holds exactly the pixels that its header states.

Pillow leaves black, or grey, what is missing behind an intact end of the file, and passes over what is left. Of WebP
its decoder says so itself, and of PNG `png_pixels.stored_png`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from busight.data.readers.gif_pixels import gif_frame
from busight.data.readers.inflate import inflated
from busight.data.readers.jpeg_scans import require_all_scan_lines
from busight.data.readers.stream_header import codestream, stream_header, tile_counts
from busight.data.readers.tiff_strips import Strip, TiffStrips


def require_all_pixels(picture: ImageFile, stream: BinaryIO) -> None:
    """Raise for a file whose pixels end early, or go on behind the last one; keeps the stream's position.

    Further pixels mean that the stated size is wrong. Of TIFF by LZW and PackBits and of progressive JPEG they are not
    found.

    Args:
        picture: The opened file.
        stream: The file.

    Raises:
        ValueError: Which of both it is; or another error of a decoder on damaged bytes.
    """
    place = stream.tell()
    try:
        for kind, check in _CHECKS.items():
            if isinstance(picture, kind):
                check(picture, stream)
    finally:
        stream.seek(place)


def _require_gif(picture: ImageFile, stream: BinaryIO) -> None:
    stream.seek(0)
    frame = gif_frame(stream.read())
    if (frame.width, frame.height) != picture.size:
        raise ValueError(f"its frame has {frame.width}×{frame.height} of its {picture.width}×{picture.height} pixels")
    count, needed = frame.n_pixels(), frame.width * frame.height
    if count < needed:
        raise ValueError(f"{needed} pixels are needed, {count} follow")
    if count >= needed + frame.width:
        raise ValueError(f"its {count} pixels are more than its size")


def _require_bmp(picture: ImageFile, stream: BinaryIO) -> None:
    """Raise where the header states more bytes of pixels than its size needs; too few Pillow refuses."""
    stream.seek(14)
    header = stream.read(40)
    if len(header) < 40 or struct.unpack_from("<I", header)[0] < 40:
        return
    width, height, _, bits, compression, stated = struct.unpack_from("<iiHHII", header, 4)
    row = (width * bits + 31) // 32 * 4
    if compression == 0 and stated >= row * (abs(height) + 1):
        raise ValueError(f"its {stated} bytes of pixels are more than the {row * abs(height)} of its size")


def _require_jpeg(picture: ImageFile, stream: BinaryIO) -> None:
    stream.seek(0)
    require_all_scan_lines(stream.read())


def _require_tiff(picture: ImageFile, stream: BinaryIO) -> None:
    if not isinstance(picture, TiffImageFile):
        return
    file = TiffStrips(picture.tag_v2)
    for strip in file.strips:
        needed, most = (rows * strip.row_bytes for rows in (strip.rows, strip.most_rows))
        if file.is_raw and strip.row_bytes and strip.count is not None:
            if strip.count < needed:
                raise ValueError(f"{needed} bytes of a strip's pixels are needed, {strip.count} follow")
            if strip.count >= most + strip.row_bytes:
                raise ValueError(f"a strip's {strip.count} bytes of pixels are more than the {needed} of its size")
        elif file.is_deflated and strip.row_bytes:
            inflated([_content(strip, stream)], needed, most)
        elif file.is_jpeg:
            content = _content(strip, stream)
            _require_jpeg_strip(file.jpeg_tables[:-2] + content[2:] if file.jpeg_tables else content, strip)


def _content(strip: Strip, stream: BinaryIO) -> bytes:
    stream.seek(strip.offset)
    return stream.read(-1 if strip.count is None else strip.count)


def _require_jpeg_strip(content: bytes, strip: Strip) -> None:
    require_all_scan_lines(content)
    header = stream_header(content)
    if header is None or not strip.rows <= header.height <= strip.most_rows:
        rows = "no" if header is None else header.height
        raise ValueError(f"{strip.rows} rows of a strip's pixels are needed, {rows} follow")


def _require_jpeg_2000(picture: ImageFile, stream: BinaryIO) -> None:
    stream.seek(0)
    stated, found = tile_counts(codestream(stream.read()))
    if found != stated:
        raise ValueError(f"{stated} tiles of pixels are needed, {found} follow")


_CHECKS: dict[type[ImageFile], Callable[[ImageFile, BinaryIO], None]] = {
    BmpImageFile: _require_bmp,
    GifImageFile: _require_gif,
    Jpeg2KImageFile: _require_jpeg_2000,
    JpegImageFile: _require_jpeg,
    TiffImageFile: _require_tiff,
}
