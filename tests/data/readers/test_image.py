import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageFile, ImageOps

from busight.data.image_spec import ImageSpec
from busight.data.readers.decode import decode
from busight.data.readers.image import (
    IMAGE_SUFFIXES,
    read_colour_share,
    read_grey,
    read_image,
    read_image_as,
    read_size,
)
from busight.errors import ImageError

RAMP = (np.arange(20)[:, None] * 10 + np.arange(24)[None, :]).astype(np.uint8)
RGB = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)


def saved(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    picture = Pillow.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - {".jfif", ".jpe", ".jpg", ".jpeg", ".webp", ".gif"}))
def test_grey_files_come_back_as_they_are(tmp_path: Path, suffix: str) -> None:
    grey = read_grey(saved(tmp_path / f"a{suffix}", RAMP))
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, RAMP)


@pytest.mark.parametrize(
    ("suffix", "options"), [(".gif", {}), (".webp", {"lossless": True}), (".jpg", {"quality": 100})]
)
def test_other_formats_come_back_close(tmp_path: Path, suffix: str, options: dict[str, object]) -> None:
    grey = read_grey(saved(tmp_path / f"a{suffix}", RAMP, **options))
    assert np.abs(grey.astype(int) - RAMP).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_equal_channels_give_exactly_that_channel(tmp_path: Path, mode: str) -> None:
    every_grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "a.png", every_grey, mode)), every_grey)


def test_colour_becomes_luma(tmp_path: Path) -> None:
    colours = np.zeros((16, 16, 3), np.uint8)
    colours[:4], colours[4:8], colours[8:12], colours[12:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50)
    grey = read_grey(saved(tmp_path / "a.png", colours))
    # 0.299·255 = 76.2, 0.587·255 = 149.7, 0.114·255 = 29.1, 0.299·200 + 0.587·100 + 0.114·50 = 124.2
    assert [grey[row, 0] for row in (0, 4, 8, 12)] == [76, 150, 29, 124]


def test_colour_agrees_with_opencv(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", RGB)
    reference = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
    assert np.abs(read_grey(path).astype(int) - reference).max() <= 1


def test_transparent_pixels_lie_over_black(tmp_path: Path) -> None:
    pixels = np.full((16, 16, 4), 200, np.uint8)
    pixels[:8, :, 3], pixels[8:, :, 3] = 255, 51
    grey = read_grey(saved(tmp_path / "a.png", pixels))
    assert (grey[:8] == 200).all()
    assert (grey[8:] == 40).all()  # 200 · 51 / 255


def test_a_transparent_palette_colour_is_black(tmp_path: Path) -> None:
    picture = Pillow.fromarray((RAMP > 100).astype(np.uint8)).convert("P")
    picture.putpalette([250, 250, 250, 90, 90, 90])
    picture.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), np.where(RAMP > 100, 90, 0))


def test_16_bit_grey_is_narrowed_by_its_scale(tmp_path: Path) -> None:
    full = RAMP.astype(np.uint16) * 257
    full[0, 0] = 65535
    expected = RAMP.copy()
    expected[0, 0] = 255
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "full.png", full)), expected)
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "narrow.tif", RAMP.astype(np.uint16))), RAMP)


TWELVE = np.linspace(0, 4095, 20 * 24).reshape(20, 24).astype(np.uint16)
RGB48 = np.random.default_rng(0).integers(0, 65536, (20, 24, 3)).astype(np.uint16)


def written(path: Path, pixels: np.ndarray, *options: int) -> Path:
    """Write RGB or RGBA by OpenCV, which keeps 16 bits."""
    assert cv2.imwrite(str(path), pixels[..., [2, 1, 0, 3][: pixels.shape[2]]], options)
    return path


def tiff_file(path: Path, tags: dict[int, int | list[int]], strips: list[bytes]) -> Path:
    """Write an uncompressed little-endian TIFF of 24×20 pixels by hand."""
    tags = {256: 24, 257: 20, 259: 1, 277: 1, 278: 20} | tags
    offsets = np.cumsum([8, *map(len, strips)]).tolist()
    tags |= {273: offsets[:-1], 279: [len(strip) for strip in strips]}
    data, entries = b"".join(strips), b""
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, list) else [value]
        content = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            content, data = struct.pack("<I", 8 + len(data)), data + content
        entries += struct.pack("<HHI", tag, 4, len(values)) + content
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_12_bit_grey_in_16_bits_needs_a_spec(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, TWELVE)
    pixels = read_image(path)
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, TWELVE)
    np.testing.assert_array_equal(read_image_as(path, ImageSpec(bits=12)), np.rint(TWELVE / 4095 * 255))
    np.testing.assert_array_equal(read_image_as(path, ImageSpec(bits=12, window=(0, 255))), np.minimum(TWELVE, 255))
    with pytest.raises(ImageError, match=f"{name}: grey values 0 to 4095 fill neither 8 nor 16 bits, .*; scale them"):
        read_grey(path)


def test_a_12_bit_tiff_states_its_scale(tmp_path: Path) -> None:
    high, low = TWELVE.reshape(-1, 2).T.astype(int)
    packed = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], axis=1).astype(np.uint8)
    path = tiff_file(tmp_path / "a.tif", {258: 12, 262: 1}, [packed.tobytes()])
    np.testing.assert_array_equal(read_image(path), TWELVE)
    np.testing.assert_array_equal(read_grey(path), np.rint(TWELVE / 4095 * 255))


@pytest.mark.parametrize(("scale", "black"), [(257, 65535), (1, 255)])
def test_a_16_bit_tiff_whose_white_is_0_is_inverted(tmp_path: Path, scale: int, black: int) -> None:
    stored = black - RAMP.astype(np.uint16) * scale
    path = tiff_file(tmp_path / "a.tif", {258: 16, 262: 0}, [stored.tobytes()])
    np.testing.assert_array_equal(read_grey(path), RAMP)
    assert decode(path, "a.tif").warnings[0] == "white is 0 by its PhotometricInterpretation, so it was inverted"
    path = tiff_file(tmp_path / "c.tif", {258: 16, 262: 0}, [(RAMP // 2).astype(np.uint16).tobytes()])
    with pytest.raises(ImageError, match=r"Interpretation says that white is 0, .*bright \(mean grey 7\d%\)"):
        read_image(path)
    path = tiff_file(tmp_path / "b.tif", {258: 16, 262: 0}, [TWELVE.tobytes()])
    with pytest.raises(ImageError, match="white is 0 and the values go up to 4095, so which one is black is unknown"):
        read_image(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", ()), *((f"{code}.tif", (cv2.IMWRITE_TIFF_COMPRESSION, code)) for code in (1, 5, 8, 32773))],
)
def test_16_bit_colour_keeps_its_bits(tmp_path: Path, name: str, options: tuple[int, ...]) -> None:
    path = written(tmp_path / name, RGB48, *options)
    np.testing.assert_array_equal(read_image(path), RGB48)
    np.testing.assert_array_equal(read_image(path.read_bytes()), RGB48)
    np.testing.assert_array_equal(read_image_as(path, ImageSpec(channels=3)), np.rint(RGB48 / 257))
    low = written(tmp_path / f"low-{name}", RGB.astype(np.uint16), *options)
    np.testing.assert_array_equal(read_grey(low), read_grey(saved(tmp_path / "eight.png", RGB)))


def test_16_bit_colour_with_opacity(tmp_path: Path) -> None:
    opaque = np.concatenate([RGB48, np.full((20, 24, 1), 65535, np.uint16)], axis=2)
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", opaque)), RGB48)
    clear = opaque.copy()
    clear[3, 4, 3] = 0
    path = written(tmp_path / "b.png", clear)
    np.testing.assert_array_equal(read_image(path), clear)
    assert read_grey(path)[3, 4] == 0


def png_file(path: Path, colour_type: int, pixels: np.ndarray, transparency: bytes = b"") -> Path:
    """Write a 16-bit PNG by hand."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        *([(b"tRNS", transparency)] if transparency else []),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    path.write_bytes(png_of(chunks))
    return path


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    content = b"".join(len(data).to_bytes(4, "big") + kind + data + _crc(kind + data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + content


def test_16_bit_grey_with_opacity(tmp_path: Path) -> None:
    grey, opacity = RGB48[..., 0], RGB48[..., 1]
    path = png_file(tmp_path / "a.png", 4, np.stack([grey, opacity], axis=-1))
    np.testing.assert_array_equal(read_image(path), np.stack([grey, grey, grey, opacity], axis=-1))
    path = png_file(tmp_path / "b.png", 4, np.stack([grey, np.full_like(grey, 65535)], axis=-1))
    np.testing.assert_array_equal(read_grey(path), np.rint(grey / 257))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_that_stands_for_transparent_is_black(tmp_path: Path, bits: int) -> None:
    """By its tRNS chunk: the brightest grey."""
    white = 2**bits - 1
    levels = np.arange(16 * 32).reshape(16, 32) * (257 if bits == 16 else 1) % (white + 1)
    levels[:2] = white
    rows = levels.astype(">u2" if bits == 16 else np.uint8)
    if bits < 8:  # each pixel's lowest bits, packed
        rows = np.packbits(np.unpackbits(rows[..., None], axis=-1)[..., 8 - bits :].reshape(16, -1), axis=-1)
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", 32, 16, bits, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", struct.pack(">H", white)), (b"IDAT", zlib.compress(content)), (b"IEND", b"")]
    path = tmp_path / "a.png"
    path.write_bytes(png_of(chunks))
    expected = np.rint(np.where(levels == white, 0, levels) * (255 / white))
    np.testing.assert_array_equal(read_grey(path), expected)
    assert read_image(path).shape == (16, 32, 4)


def test_a_16_bit_colour_that_stands_for_transparent_is_refused(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(png_file(tmp_path / "a.png", 2, RGB48)), RGB48)
    path = png_file(tmp_path / "b.png", 2, RGB48, transparency=RGB48[0, 0].astype(">u2").tobytes())
    with pytest.raises(ImageError, match="16-bit colour of this kind is not read; export it as 8-bit RGB"):
        read_image(path)


def test_16_bit_colour_in_planes_is_refused(tmp_path: Path) -> None:
    """Pillow takes planes of 16 bits for planes of 8."""
    planes = [RGB48[..., channel].tobytes() for channel in range(3)]
    path = tiff_file(tmp_path / "a.tif", {258: [16, 16, 16], 262: 2, 277: 3, 284: 2}, planes)
    with pytest.raises(ImageError, match="16-bit colour of this kind is not read; export it as 8-bit RGB"):
        read_image(path)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("pixels", [RAMP, RGB, TWELVE], ids=["grey", "rgb", "wide"])
def test_tiff_however_it_is_compressed(tmp_path: Path, compression: str | None, pixels: np.ndarray) -> None:
    path = saved(tmp_path / "a.tif", pixels, compression=compression)
    np.testing.assert_array_equal(read_image(path), pixels)


MODES = {
    ".bmp": ("1", "L", "P", "RGB", "RGBA"),
    ".gif": ("P", "RGBA"),
    ".jpg": ("L", "RGB", "YCbCr"),
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA"),
    ".ppm": ("L", "RGB"),
    ".tif": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr"),
    ".webp": ("RGB", "RGBA"),
}


@pytest.mark.parametrize(("suffix", "mode"), [(suffix, mode) for suffix, modes in MODES.items() for mode in modes])
def test_bytes_are_read_like_the_file(tmp_path: Path, suffix: str, mode: str) -> None:
    path = saved(tmp_path / f"a{suffix}", RGB, mode)
    content = path.read_bytes()
    assert read_image(path).ndim == (2 if mode in ("1", "L") else 3)
    np.testing.assert_array_equal(read_image(content), read_image(path))
    np.testing.assert_array_equal(read_grey(content), read_grey(path))
    assert read_size(content) == read_size(path) == (24, 20)
    assert read_colour_share(content) == read_colour_share(path)


def test_faults_name_the_bytes() -> None:
    for content, name, rule in [
        (b"", "", "^image: the file is empty"),
        (b"no image", "", "^image: no image .* can be found in it"),
        (b"no image", "upload 3", "^upload 3: no image"),
    ]:
        with pytest.raises(ImageError, match=rule):
            read_image(content, name)
    assert read_size(b"no image") is None


def test_colour_is_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", RGB)
    np.testing.assert_array_equal(read_image(path), RGB)
    np.testing.assert_array_equal(read_image_as(path, ImageSpec(channels=3)), RGB)
    grey = read_image_as(saved(tmp_path / "b.png", RAMP), ImageSpec(channels=3))
    np.testing.assert_array_equal(grey, np.stack([RAMP] * 3, axis=-1))
    assert read_colour_share(path) > 0.5
    assert read_colour_share(tmp_path / "b.png") == 0


@pytest.mark.parametrize(("mode", "name"), [("CMYK", "a.tif"), ("F", "a.tif"), ("CMYK", "a.jpg")])
def test_modes_without_a_grey_are_refused(tmp_path: Path, mode: str, name: str) -> None:
    with pytest.raises(ImageError, match=f"pixel mode {mode} has no agreed grey; export it"):
        read_grey(saved(tmp_path / name, RGB, mode))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_exif_orientation_is_applied(tmp_path: Path, name: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    picture = np.zeros((16, 32), np.uint8)
    picture[:, :16] = 255
    grey = read_grey(saved(tmp_path / name, picture, exif=exif))
    assert grey.shape == (32, 16)
    assert grey[:16].min() > 250
    assert grey[16:].max() < 5


@pytest.mark.parametrize("kind", ["grey", "wide", "wide colour"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_exif_orientation_agrees_with_pillow(tmp_path: Path, orientation: int, kind: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", TWELVE if kind == "wide" else RAMP, exif=exif)
    with Pillow.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    if kind == "wide colour":
        content = written(tmp_path / "b.png", np.stack([RAMP.astype(np.uint16) * 257] * 3, axis=-1)).read_bytes()
        whole = path.read_bytes()
        block = whole[whole.index(b"eXIf") - 4 :]
        block = block[: 12 + int.from_bytes(block[:4], "big")]
        path.write_bytes(content[:33] + block + content[33:])  # behind the header
        expected = np.stack([expected.astype(np.uint16) * 257] * 3, axis=-1)
    np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_animations_and_pages_are_refused(tmp_path: Path, name: str) -> None:
    frames = [Pillow.fromarray(RAMP), Pillow.fromarray(255 - RAMP)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="holds 2 frames or pages, one is needed"):
        read_grey(tmp_path / name)


def test_files_that_hold_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture\n")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for name, rule in [
        ("text.png", "no image .* can be found in it"),
        ("empty.png", "the file is empty"),
        ("folder.png", "not a file"),
        ("missing.png", "cannot be reached"),
        ("null\0byte.png", "cannot be reached"),
    ]:
        with pytest.raises(ImageError, match=rule) as caught:
            read_grey(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_truncated_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for name in ("a.png", "a.jpg"):
        whole = saved(tmp_path / name, noise).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ImageError, match="truncated or damaged"):
            read_grey(tmp_path / name)


def test_small_pictures_are_refused(tmp_path: Path) -> None:
    assert read_grey(saved(tmp_path / "a.png", RAMP[:16, :16])).shape == (16, 16)
    with pytest.raises(ImageError, match="24×15 pixels, needs at least 16 a side"):
        read_grey(saved(tmp_path / "a.png", RAMP[:15]))


@pytest.mark.parametrize(
    ("side", "is_wide"), [(4097, False), (9500, False), (12000, False), (60000, False), (5000, True)]
)
def test_bombs_are_refused_from_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, is_wide: bool
) -> None:
    """4097 is above our limit only, 12000 where Pillow would warn, 60000 where Pillow refuses by itself."""
    path = written(tmp_path / "a.png", RGB48) if is_wide else saved(tmp_path / "a.png", RAMP)
    header = bytearray(path.read_bytes())
    header[16:24] = side.to_bytes(4, "big") * 2
    header[29:33] = _crc(bytes(header[12:29]))
    (tmp_path / "a.png").write_bytes(header)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("the bomb was decoded"))
    with pytest.raises(ImageError, match=r"at most 16777216 (pixels )?are decoded"):
        read_grey(tmp_path / "a.png")


def _crc(chunk: bytes) -> bytes:
    return zlib.crc32(chunk).to_bytes(4, "big")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8\xff", b"II*\0", b"P2 ", b"P6\n16 16 "]),
)
def test_arbitrary_bytes_are_refused_with_one_line(tmp_path: Path, content: bytes, magic: bytes) -> None:
    _reads_or_refuses(tmp_path / "a.png", magic + content)


def _valid(kind: str) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(RGB).save(stream, kind)
    return stream.getvalue()


def _wide(suffix: str) -> bytes:
    return cv2.imencode(suffix, RGB48)[1].tobytes()


VALID = [_valid(kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM")]
VALID += [_wide(suffix) for suffix in (".png", ".tif", ".ppm")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_pictures_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for place in data.draw(st.lists(st.integers(0, min(len(content), 150) - 1), max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    _reads_or_refuses(tmp_path / "a.png", bytes(content[: data.draw(st.integers(1, len(content)))]))


def _reads_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refusal, grey = "", RAMP
    try:
        grey = read_grey(path)
    except ImageError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert refusal == "" or refusal.startswith(f"{path}: ")
    assert grey.dtype == np.uint8
    assert grey.ndim == 2


def test_real_images_with_colour_marks(busi_root: Path) -> None:
    coloured = 0
    for path in sorted((busi_root / "normal").glob("normal (11*).png")):
        with Pillow.open(path) as picture:
            channels = np.asarray(picture.convert("RGB")).astype(int)
        grey = read_grey(path)
        coloured += bool((channels[..., 0] != channels[..., 1]).any())
        assert grey.shape == channels.shape[:2]
        assert (grey >= channels.min(axis=2)).all()
        assert (grey <= channels.max(axis=2)).all()
    assert coloured > 0


@pytest.mark.parametrize("pixels", [RAMP.astype(np.uint16), np.stack([RAMP] * 3, axis=-1).astype(np.uint16)])
def test_8_bit_values_in_a_16_bit_png_are_told(tmp_path: Path, pixels: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    decoded = decode(tmp_path / "a.png", "a.png")
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.warnings == (f"none of its 16-bit values is above {RAMP.max()}: they may be 8-bit ones",)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), RAMP)
    with pytest.raises(ImageError, match="images of 16 bits go up to 65535: it would be nearly black"):
        read_image_as(tmp_path / "a.png", ImageSpec(bits=16))
    cv2.imwrite(str(tmp_path / "b.png"), pixels * 257)
    assert decode(tmp_path / "b.png", "b.png").warnings == ()


def test_signed_8_bit_tiff_is_refused(tmp_path: Path) -> None:
    path = tiff_file(tmp_path / "a.tif", {258: 8, 262: 1, 339: 2}, [(RAMP ^ 128).tobytes()])
    with pytest.raises(ImageError, match="its values are signed"):
        read_image(path)
    path = tiff_file(tmp_path / "b.tif", {258: 8, 262: 1, 339: 1}, [RAMP.tobytes()])
    np.testing.assert_array_equal(read_image(path), RAMP)
