"""A file whose pixels end early, or go on behind the last one, is refused, though its end and checksums are intact."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from busight.data.readers.decode import decode
from busight.data.readers.files import FileReader
from busight.data.readers.gif_pixels import gif_frame
from busight.data.readers.inputs import read_frames
from busight.errors import ImageError
from busight.types import Failure, Sample

HEIGHT, WIDTH = 96, 128
GREY = np.random.default_rng(0).normal(90, 25, (HEIGHT, WIDTH)).clip(10, 240).astype(np.uint8)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


def saved(form: str, pixels: np.ndarray = GREY, **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def png(rows: bytes, n_chunks: int = 1, bits: int = 8, colour: int = 0, cut: int | None = None) -> bytes:
    """Return a PNG of 128×96 pixels whose chunks all have their checksums, whatever is in them."""
    stream = zlib.compress(rows)[:cut]
    size = -(-len(stream) // n_chunks)
    parts = [stream[start : start + size] for start in range(0, len(stream), size)]
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def rows_of(pixels: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in pixels)


ROWS = rows_of(GREY)
WIDE_ROWS = rows_of(GREY.astype(">u2") * 257)


def with_chunk(kind: bytes, data: bytes, place: int, checksum: int | None = None) -> bytes:
    """Return a PNG with one more chunk: before its header (place 8) or behind it (place 33)."""
    whole, checksum = png(ROWS), zlib.crc32(kind + data) if checksum is None else checksum
    return whole[:place] + struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum) + whole[place:]


def with_jpeg_height(content: bytes, height: int) -> bytes:
    place = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2")) + 5
    return content[:place] + struct.pack(">H", height) + content[place + 2 :]


def jpeg_without(content: bytes, start: float, count: int) -> bytes:
    """Cut bytes out of the last scan's data."""
    data = content.rfind(b"\xff\xda") + 14
    place = data + int((len(content) - data) * start)
    return content[:place] + content[min(place + count, len(content) - 2) :]


def with_tiff_tag(content: bytes, tag: int, change: Callable[[int], int]) -> bytes:
    mended = bytearray(content)
    (directory,) = struct.unpack_from("<I", mended, 4)
    for number in range(struct.unpack_from("<H", mended, directory)[0]):
        place = directory + 2 + 12 * number
        kind, form, count = struct.unpack_from("<HHI", mended, place)
        if kind == tag:
            assert count == 1
            layout = {3: "<H", 4: "<I"}[form]
            struct.pack_into(layout, mended, place + 8, change(*struct.unpack_from(layout, mended, place + 8)))
    return bytes(mended)


def with_gif_height(content: bytes, height: int, of_screen: bool = True) -> bytes:
    mended = bytearray(content)
    struct.pack_into("<H", mended, 8, height)
    if of_screen:
        struct.pack_into("<H", mended, 13 + (3 << (mended[10] & 7) + 1) + 7, height)
    return bytes(mended)


def gif_without_last_block(content: bytes) -> bytes:
    place = 13 + (3 << (content[10] & 7) + 1) + 11
    while content[place + 1 + content[place]]:
        place += 1 + content[place]
    return content[:place] + content[place + 1 + content[place] :]


def halved(number: int) -> int:
    return number // 2


JPEG, PROGRESSIVE = saved("JPEG"), saved("JPEG", RGB, progressive=True)
RESTARTS = saved("JPEG", RGB, restart_marker_rows=1)
GIF, BMP, JP2 = saved("GIF"), saved("BMP"), saved("JPEG2000")
RAW, DEFLATED, JPEG_TIFF = (saved("TIFF", compression=name) for name in ("raw", "tiff_deflate", "jpeg"))
ROWS_PER_STRIP, BYTE_COUNTS, LENGTH = 278, 279, 257

DAMAGED = {
    "PNG, half of the pixels": (png(ROWS[: len(ROWS) // 2]), "12384 bytes of pixels are needed, 6192 follow"),
    "PNG, one row missing": (png(ROWS[: -WIDTH - 1]), "12384 bytes of pixels are needed, 12255 follow"),
    "PNG, stream cut, three chunks": (png(ROWS, 3, cut=4000), "bytes of pixels are needed"),
    "PNG, checksum cut": (png(ROWS, cut=-4), "its pixels end before their checksum"),
    "PNG, one row more": (png(ROWS + ROWS[: WIDTH + 1]), "its pixels are more than the 12384 bytes"),
    "PNG, a chunk before its header": (with_chunk(b"tEXt", b"a\0b", 8), "first chunk is b'tEXt', not its header IHDR"),
    "PNG, a wrong checksum": (with_chunk(b"tEXt", b"a\0b", 33, checksum=1), "bad header checksum in b'tEXt'"),
    "PNG, a colour profile that is none": (with_chunk(b"iCCP", b"x", 33), "in iCCP chunk"),
    "PNG, nothing behind its signature": (png(ROWS)[:8], "its first chunk is b'', not its header IHDR"),
    "PNG, 16 bits": (png(WIDE_ROWS[: len(WIDE_ROWS) // 2], bits=16), "24672 bytes of pixels are needed, 12336 follow"),
    "PNG, colour": (png(rows_of(RGB)[:20000], colour=2), "36960 bytes of pixels are needed, 20000 follow"),
    "BMP, cut": (BMP[:-3000], "truncated"),
    "BMP, half of the height": (BMP[:22] + struct.pack("<i", 48) + BMP[26:], "12288 bytes of pixels are more"),
    "GIF, last block missing": (gif_without_last_block(GIF), "12288 pixels are needed, 12"),
    "GIF, more rows stated": (with_gif_height(GIF, 150), "19200 pixels are needed, 12288 follow"),
    "GIF, fewer rows stated": (with_gif_height(GIF, 48), "its 12288 pixels are more than its size"),
    "GIF, part of the screen": (with_gif_height(GIF, 150, False), "128×96 of its 128×150 pixels"),
    "JPEG, half": (JPEG[: len(JPEG) // 2] + b"\xff\xd9", "its pixels end before the last row"),
    "JPEG, last bytes": (jpeg_without(JPEG, 0.98, 999), "its pixels end before the last row"),
    "JPEG, cut out": (jpeg_without(JPEG, 0.4, 500), "its pixels end before the last row"),
    "JPEG, more rows stated": (with_jpeg_height(JPEG, 150), "its pixels end before the last row"),
    "JPEG, fewer rows stated": (with_jpeg_height(JPEG, 48), "more rows follow than the 48"),
    "JPEG, end": (JPEG[:-2], "truncated"),
    "JPEG, scan missing": (PROGRESSIVE[: PROGRESSIVE.rfind(b"\xff\xda")] + b"\xff\xd9", "a scan is missing"),
    "JPEG, scan cut": (jpeg_without(PROGRESSIVE, 0.5, 999), "its pixels end before the last row"),
    "JPEG, restart intervals": (with_jpeg_height(RESTARTS, 48), "another number of restart intervals"),
    "JPEG, one interval cut out": (
        RESTARTS[: RESTARTS.find(b"\xff\xd1")] + RESTARTS[RESTARTS.find(b"\xff\xd2") :],
        "a restart interval of its pixels is missing",
    ),
    "JPEG 2000, more rows stated": (
        JP2.replace(struct.pack(">II", WIDTH, HEIGHT), struct.pack(">II", WIDTH, 150), 1).replace(
            struct.pack(">II", HEIGHT, WIDTH), struct.pack(">II", 150, WIDTH), 1
        ),
        "2 tiles of pixels are needed, 1 follow",
    ),
    "JPEG 2000, cut": (JP2[: len(JP2) // 2] + b"\xff\xd9", "truncated"),
    "TIFF, strips missing": (with_tiff_tag(RAW, ROWS_PER_STRIP, halved), "2 strips of pixels are needed, 1 follow"),
    "TIFF, strip short": (with_tiff_tag(RAW, BYTE_COUNTS, halved), "12288 bytes of a strip's pixels are needed"),
    "TIFF, fewer rows stated": (with_tiff_tag(RAW, LENGTH, halved), "12288 bytes of pixels are more than the 6"),
    "TIFF, deflated, short": (with_tiff_tag(DEFLATED, BYTE_COUNTS, halved), "12288 bytes of pixels are needed"),
    "TIFF, deflated, fewer rows": (with_tiff_tag(DEFLATED, LENGTH, halved), "more than the 6144 bytes"),
    "TIFF, JPEG, short": (with_tiff_tag(JPEG_TIFF, BYTE_COUNTS, halved), "truncated"),
    "TIFF, JPEG, fewer rows": (with_tiff_tag(JPEG_TIFF, LENGTH, halved), "48 rows of a strip's pixels are needed"),
    "WebP, cut": (saved("WEBP", RGB)[:2000], "truncated"),
    "PGM, short": (b"P5 128 96 255\n" + GREY.tobytes()[:-1], "12288 bytes of pixels are needed, 12287 follow"),
    "PGM, surplus": (b"P5 128 95 255\n" + GREY.tobytes(), "more follows than its 128×95 pixels"),
    "PGM as text, surplus": (b"P2 16 16 255\n" + b"7 " * 257, "256 pixel values are needed, 257 follow"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_missing_or_further_pixels_are_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    content, rule = DAMAGED[kind]
    (tmp_path / "a.png").write_bytes(content)  # the format is read from the content
    with pytest.raises(ImageError) as refused:
        FileReader(tmp_path).image(Sample("a", "folder", None, "a.png"))
    text = str(refused.value)
    assert text.startswith(f"{tmp_path / 'a.png'}: truncated or damaged (")
    assert text.endswith("); copy or export it again")
    assert rule in text
    assert "\n" not in text
    predicted = next(read_frames(tmp_path / "a.png"))
    assert isinstance(predicted, Failure)
    assert predicted.reason == text
    assert isinstance(next(read_frames(content)), Failure)


WHOLE = [
    *(("PNG", options) for options in ({}, {"optimize": True}, {"compress_level": 0})),
    *(("TIFF", {"compression": name}) for name in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    *(("JPEG", {"quality": quality}) for quality in (1, 50, 100)),
    *(("JPEG", {"subsampling": number}) for number in (0, 1, 2)),
    ("JPEG", {"progressive": True}), ("JPEG", {"progressive": True, "restart_marker_blocks": 3}),
    ("JPEG", {"restart_marker_blocks": 5}), ("JPEG", {"restart_marker_rows": 1}), ("JPEG", {"optimize": True}),
    ("JPEG2000", {"tile_size": (32, 32)}), ("JPEG2000", {"quality_mode": "rates", "quality_layers": [20]}),
    ("GIF", {}), ("GIF", {"interlace": False}), ("BMP", {}), ("WEBP", {"lossless": True}),
]  # fmt: skip


@pytest.mark.parametrize(("form", "options"), WHOLE)
def test_whole_files_of_every_kind_are_read(form: str, options: dict[str, object]) -> None:
    rng = np.random.default_rng(1)
    for height, width in ((16, 16), (17, 33), (96, 128), (45, 300)):
        noise = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        for pixels in (noise, noise[..., 0], noise // 64 * 64, np.zeros_like(noise), np.full_like(noise, 128)):
            assert decode(saved(form, pixels, **options), "a").pixels.shape[:2] == (height, width)


def test_interlaced_and_tiled_files_are_read(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "a.tif"
    for options in ([cv2.IMWRITE_TIFF_COMPRESSION, 1], [cv2.IMWRITE_TIFF_COMPRESSION, 8, 278, 5]):
        assert cv2.imwrite(str(path), RGB[..., ::-1], options)
        np.testing.assert_array_equal(decode(path, "a").pixels, RGB)
    # Adam7 by hand: the passes of a 17×19 image.
    pixels = GREY[:19, :17]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    data = b"".join(rows_of(np.ascontiguousarray(pixels[y::dy, x::dx])) for x, y, dx, dy in passes)
    head = struct.pack(">IIBBBBB", 17, 19, 8, 0, 0, 0, 1)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )
    np.testing.assert_array_equal(decode(content, "a").pixels, pixels)


def test_the_pixels_of_a_gif_are_counted() -> None:
    for shape in ((16, 16), (300, 400)):
        for n_greys in (2, 16, 256):
            pixels = np.random.default_rng(2).integers(0, n_greys, shape).astype(np.uint8)
            assert gif_frame(saved("GIF", pixels)).n_pixels() == pixels.size
    # A table left full: 9-bit codes of 2 for ever would need an encoder that never clears; codes by hand instead.
    codes = [256, *([7] * 5000), 257]
    table, bits, count = 258, 0, 0
    for number, code in enumerate(codes):
        width = min(12, max(9, (table + max(number - 2, 0)).bit_length()))
        bits |= code << count
        count += width
    frame = gif_frame(saved("GIF", GREY))._replace(data=bits.to_bytes(count // 8 + 1, "little"))
    assert frame.n_pixels() == 5000
