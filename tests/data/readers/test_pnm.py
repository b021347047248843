import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from busight.data.image_spec import ImageSpec
from busight.data.readers.decode import decode
from busight.data.readers.image import read_grey, read_image, read_image_as, read_size
from busight.errors import ImageError

GREY = (np.arange(20)[:, None] * 200 + np.arange(24)[None, :]).astype(np.uint16)
"""0–3823: 12 bits."""

RGB = np.stack([GREY, GREY[::-1], 3823 - GREY], axis=-1)


def binary(pixels: np.ndarray, maxval: int) -> bytes:
    height, width = pixels.shape[:2]
    magic = "P5" if pixels.ndim == 2 else "P6"
    return f"{magic}\n{width} {height}\n{maxval}\n".encode() + pixels.astype(">u2" if maxval > 255 else "u1").tobytes()


def plain(pixels: np.ndarray, maxval: int) -> bytes:
    height, width = pixels.shape[:2]
    magic = "P2" if pixels.ndim == 2 else "P3"
    values = "\n".join(map(str, pixels.reshape(-1).tolist()))
    return f"{magic} # a comment\n{width} # another\n{height}\n{maxval}\n{values}\n# the end".encode()


@pytest.mark.parametrize("write", [binary, plain])
@pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])
def test_12_bits_are_kept_and_shown_by_maxval(write: object, pixels: np.ndarray) -> None:
    content = write(pixels, 4095)
    decoded = read_image(content)
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, pixels)
    eight_bit = np.rint(pixels / 4095 * 255).astype(np.uint8)
    for bits in (8, 12, 16):
        image = read_image_as(content, ImageSpec(1 if pixels.ndim == 2 else 3, bits))
        np.testing.assert_array_equal(image, eight_bit)


@pytest.mark.parametrize("write", [binary, plain])
def test_8_bits_and_fewer_fill_0_to_255(write: object) -> None:
    """Of 0–15 each step is 17; a mask of 0 and 1 is 0 and 255."""
    pixels = GREY % 256
    np.testing.assert_array_equal(read_image(write(pixels, 255)), pixels)
    assert read_image(write(pixels, 255)).dtype == np.uint8
    np.testing.assert_array_equal(read_image(write(GREY % 16, 15)), GREY % 16 * 17)
    np.testing.assert_array_equal(read_image(write(GREY % 2, 1)), GREY % 2 * 255)


@pytest.mark.parametrize("maxval", [1023, 4095, 16383, 65535])
def test_8_bit_values_in_more_bits_are_told(maxval: int) -> None:
    (warning,) = decode(binary(GREY % 256, maxval), "a.pgm").warnings
    assert warning.startswith("none of its ")
    assert "above 255" in warning
    assert "they may be 8-bit ones" in warning
    for pixels, white in ((GREY, 4095), (GREY % 256, 511), (GREY % 256, 255), (GREY * 0, 4095)):
        assert decode(binary(pixels, white), "a.pgm").warnings == ()


def test_full_16_bits_state_no_scale() -> None:
    """Many programs write 65535 whatever the values are: as in a PNG, 12-bit values are then refused."""
    np.testing.assert_array_equal(read_grey(binary(GREY * 17, 65535)), np.rint(GREY * 17 / 257))
    with pytest.raises(ImageError, match="grey values 0 to 3823 fill neither 8 nor 16 bits"):
        read_grey(binary(GREY, 65535))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("channels", [1, 3])
def test_files_of_opencv(tmp_path: Path, dtype: type, flag: int, channels: int) -> None:
    shape = (20, 24) if channels == 1 else (20, 24, 3)
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    path = tmp_path / "a.pnm"
    assert cv2.imwrite(str(path), pixels[..., ::-1] if channels == 3 else pixels, [cv2.IMWRITE_PXM_BINARY, flag])
    np.testing.assert_array_equal(read_image(path), pixels)
    np.testing.assert_array_equal(read_image(path.read_bytes()), pixels)
    assert read_size(path) == (24, 20)


@given(arrays.arrays(np.uint16, st.tuples(st.integers(16, 20), st.integers(16, 20))), st.booleans())
def test_every_16_bit_image_comes_back(pixels: np.ndarray, is_plain: bool) -> None:
    np.testing.assert_array_equal(read_image((plain if is_plain else binary)(pixels, 65535)), pixels)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (binary(GREY, 4095)[:-1], r"truncated or damaged \(960 bytes of pixels are needed, 959 follow\)"),
        (plain(GREY, 4095)[:1500], r"480 pixel values are needed, \d+ follow"),
        (plain(GREY, 4095).replace(b"3800", b"-380"), "values from -380 to 3823, its maxval is 4095"),
        (plain(GREY, 4095).replace(b"3800", b"38.5"), "something between its pixel values is no number"),
        (plain(GREY, 3000), "values from 0 to 3823, its maxval is 3000"),
        (binary(GREY, 4095).replace(b"4095", b"70000"), "its maxval is 70000, not 1 to 65535"),
        (binary(GREY, 4095).replace(b"4095", b"0"), "its maxval is 0, not 1 to 65535"),
        (b"P5 24 x 255\n", "its header lacks width, height or maxval"),
        (b"P5 24 20", "its header lacks width, height or maxval"),
        (b"P5 99999999999 20 255\n", "its header lacks width, height or maxval"),
        (b"P5 60000 60000 255\n", "60000×60000 pixels, at most 16777216 are decoded"),
        (b"P5 24 8 255\n", "24×8 pixels, needs at least 16 a side"),
        (b"P5 #" + b"x" * 100_000, "its header lacks width, height or maxval"),
        (b"P4 24 20\n" + bytes(60), "no image .* can be found in it"),
        (binary(GREY, 4095) + binary(GREY, 4095), "holds several images, one is needed"),
    ],
)
def test_files_that_do_not_hold_together(content: bytes, rule: str) -> None:
    with pytest.raises(ImageError, match=f"^a.pgm: .*{rule}") as caught:
        read_image(content, "a.pgm")
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_before_its_pixels_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from busight.data.readers import pnm

    monkeypatch.setattr(pnm, "read_pixels", lambda stream, header: pytest.fail("the bomb was decoded"))
    for content in (b"P2 5000 5000 255\n1 2 3", b"P5 10000 10000 255\n123"):
        with pytest.raises(ImageError, match="at most 16777216 are decoded"):
            read_image(content)
    assert pnm.is_pnm(io.BytesIO(b"P2 1"))
    assert not pnm.is_pnm(io.BytesIO(b"P2"))
