from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as Pillow
from pydantic import TypeAdapter, ValidationError

from busight.data.image_spec import ImageSpec, Pixels, colour_share, spec_of
from busight.data.readers.image import read_image
from busight.errors import DataError, ImageError

GREY = np.array([[0, 100], [200, 255]], np.uint8)
RGB = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [200, 100, 50]]], np.uint8)


def test_eight_bits_are_left_alone() -> None:
    for bits in (8, 12, 16):
        np.testing.assert_array_equal(ImageSpec(bits=bits).apply(GREY), GREY)
    np.testing.assert_array_equal(ImageSpec(channels=3).apply(RGB), RGB)


def test_colour_and_grey_by_hand() -> None:
    """0.299·255 = 76.2, 0.587·255 = 149.7, 0.114·255 = 29.1, 0.299·200 + 0.587·100 + 0.114·50 = 124.2."""
    np.testing.assert_array_equal(ImageSpec().apply(RGB), [[76, 150], [29, 124]])
    np.testing.assert_array_equal(ImageSpec(channels=3).apply(GREY), np.stack([GREY] * 3, axis=-1))


@pytest.mark.parametrize("bits", range(9, 17))
def test_the_full_range_is_the_window_without_another(bits: int) -> None:
    white = 2**bits - 1
    pixels = np.array([[0, 1, white // 2, white]], np.uint16)
    np.testing.assert_array_equal(ImageSpec(bits=bits).apply(pixels), np.rint(pixels / white * 255))


def test_window_by_hand() -> None:
    pixels = np.array([[0, 1000, 1500, 3000, 4095]], np.uint16)
    np.testing.assert_array_equal(ImageSpec(bits=12, window=(1000, 3000)).apply(pixels), [[0, 0, 64, 255, 255]])
    np.testing.assert_array_equal(ImageSpec(window=(100, 200)).apply(GREY), [[0, 0], [255, 255]])


def test_transparent_pixels_lie_over_black() -> None:
    """200 at an opacity of 51 of 255 is 40; 16-bit opacity is full-scale, or 8-bit in a wide file."""
    pixels = np.full((2, 2, 4), 200, np.uint8)
    pixels[..., 3] = [[255, 51], [0, 255]]
    expected = np.array([[200, 40], [0, 200]])
    np.testing.assert_array_equal(ImageSpec().apply(pixels), expected)
    np.testing.assert_array_equal(ImageSpec(channels=3).apply(pixels), np.stack([expected] * 3, axis=-1))
    wide = pixels.astype(np.uint16)
    np.testing.assert_array_equal(ImageSpec().apply(wide), expected)
    np.testing.assert_array_equal(ImageSpec().apply(wide * np.uint16(257)), expected)


def test_the_scale_of_16_bit_pixels_without_stated_white() -> None:
    narrow, full, twelve = (np.array([[0, high]], np.uint16) for high in (255, 32768, 4095))
    np.testing.assert_array_equal(ImageSpec().apply(narrow), [[0, 255]])
    np.testing.assert_array_equal(ImageSpec().apply(full), [[0, 128]])
    with pytest.raises(ImageError, match=r"a.png: grey values 0 to 4095 fill neither 8 nor 16 bits, .*; scale them"):
        ImageSpec().apply(twelve, name="a.png")
    np.testing.assert_array_equal(ImageSpec().apply(twelve, white_level=4095), [[0, 255]])
    np.testing.assert_array_equal(ImageSpec(bits=12).apply(twelve), [[0, 255]])


@pytest.mark.parametrize("bits", [12, 14, 16])
def test_values_of_four_bits_fewer_are_refused(bits: int) -> None:
    """Of a sixteenth of white nothing is seen; a stated white or a window says what is meant."""
    sixteenth = 2 ** (bits - 4)
    dark = np.array([[0, sixteenth - 1]], np.uint16)
    with pytest.raises(
        ImageError, match=rf"above {sixteenth - 1}, where images of {bits} bits .*; scale it to its bits"
    ):
        ImageSpec(bits=bits).apply(dark)
    np.testing.assert_array_equal(ImageSpec(bits=bits).apply(dark, white_level=sixteenth - 1), [[0, 255]])
    np.testing.assert_array_equal(ImageSpec(bits=bits, window=(0, sixteenth - 1)).apply(dark), [[0, 255]])
    np.testing.assert_array_equal(ImageSpec(bits=bits).apply(dark + np.uint16(1)), [[0, 16]])


def test_values_above_the_range() -> None:
    with pytest.raises(ImageError, match=r"a.png: pixel values up to 4096, at most 4095 are possible in these 12-bit"):
        ImageSpec(bits=12).apply(np.array([[0, 4096]], np.uint16), name="a.png")
    with pytest.raises(ImageError, match="pixel values up to 2000, at most 1023 are possible in these 10-bit images"):
        ImageSpec(bits=12).apply(np.array([[0, 2000]], np.uint16), white_level=1023)


def test_a_stated_white_of_another_depth() -> None:
    """A 10-bit image on a 12-bit set is stretched by its own white; a window of 12-bit values cannot be its window."""
    ten = np.array([[0, 1023]], np.uint16)
    np.testing.assert_array_equal(ImageSpec(bits=12).apply(ten, white_level=1023), [[0, 255]])
    windowed = ImageSpec(bits=12, window=(1000, 3000))
    for pixels, white_level in ((ten, 1023), (GREY, None)):
        with pytest.raises(ImageError, match=r"but the window \(1000, 3000\) is for 12-bit images; export it with 12"):
            windowed.apply(pixels, white_level)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4), np.int16), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_arrays_that_are_no_image(pixels: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"image: pixels are .*; give uint8 or uint16 in rows and columns"):
        ImageSpec().apply(pixels)
    with pytest.raises(ImageError, match="image 0: pixels are"):
        spec_of([pixels])


@pytest.mark.parametrize(
    "fields",
    [{"channels": 2}, {"bits": 7}, {"bits": 17}, {"window": (5, 5)}, {"window": (9, 3)}, {"window": (0, np.inf)}],
)
def test_specs_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"an image has 1 or 3 channels|a window goes from a lower"):
        ImageSpec(**fields)
    with pytest.raises(ValidationError):
        TypeAdapter(ImageSpec).validate_python(fields)


def test_a_spec_survives_json() -> None:
    adapter = TypeAdapter(ImageSpec)
    spec = ImageSpec(3, 12, (10.5, 4000))
    assert adapter.validate_json(adapter.dump_json(spec)) == spec
    with pytest.raises(ValidationError, match=r"(?i)extra|unexpected"):
        adapter.validate_python({"depth": 8})


SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6)) | st.tuples(
    st.integers(1, 6), st.integers(1, 6), st.sampled_from([3, 4])
)


@given(st.data())
def test_every_image_becomes_uint8_of_its_channels(data: st.DataObject) -> None:
    bits = data.draw(st.integers(8, 16))
    spec = ImageSpec(data.draw(st.sampled_from([1, 3])), bits)
    dtype = np.uint8 if bits == 8 else data.draw(st.sampled_from([np.uint8, np.uint16]))
    high = 255 if dtype == np.uint8 else 2**bits - 1
    pixels = data.draw(arrays.arrays(dtype, SHAPES, elements=st.integers(0, high)))
    colours = pixels[..., :3] if pixels.ndim == 3 else pixels
    assume(dtype == np.uint8 or bits < 12 or colours.max() >= 2 ** (bits - 4) or not colours.any())
    kept = pixels.copy()
    image = spec.apply(pixels)
    assert image.dtype == np.uint8
    assert image.shape == pixels.shape[:2] + ((3,) if spec.channels == 3 else ())
    np.testing.assert_array_equal(pixels, kept)


@given(st.data())
def test_mapping_is_monotone_and_reaches_both_ends(data: st.DataObject) -> None:
    bits = data.draw(st.integers(9, 16))
    white = 2**bits - 1
    low = data.draw(st.integers(0, white - 1))
    high = data.draw(st.integers(low + 1, white))
    values = np.sort(data.draw(arrays.arrays(np.uint16, 20, elements=st.integers(0, white))))
    image = ImageSpec(bits=bits, window=(low, high)).apply(np.concatenate([[low], values, [high]])[None].astype("u2"))
    assert image[0, 0] == 0
    assert image[0, -1] == 255
    assert (np.diff(image[0, 1:-1].astype(int)) >= 0).all()


@given(arrays.arrays(np.uint16, (4, 5), elements=st.integers(0, 4095)))
def test_equal_channels_give_the_grey_image(grey: np.ndarray) -> None:
    spec = ImageSpec(bits=12)
    grey[0, 0] = 256
    np.testing.assert_array_equal(spec.apply(np.stack([grey] * 3, axis=-1)), spec.apply(grey))


@pytest.mark.parametrize("pixels", [GREY.astype(np.uint16), RGB.astype(np.uint16)])
def test_low_values_are_never_shown_as_black(pixels: Pixels) -> None:
    """8-bit values in 16 bits are 8-bit to an 8-bit model; one of 12 bits and more cannot know what they are."""
    expected = ImageSpec().apply(pixels.astype(np.uint8))
    np.testing.assert_array_equal(ImageSpec().apply(pixels), expected)
    np.testing.assert_array_equal(ImageSpec(bits=16).apply(pixels, 255), expected)
    for bits in (12, 14, 16):
        with pytest.raises(ImageError, match=f"where images of {bits} bits go up to {2**bits - 1}: it would"):
            ImageSpec(bits=bits).apply(pixels)
        assert ImageSpec(bits=bits).apply(pixels * 0).max() == 0
        assert ImageSpec(3, bits, window=(0, 255)).apply(pixels).max() == 255


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3))))
def test_luma_is_pillows(rgb: np.ndarray) -> None:
    np.testing.assert_array_equal(ImageSpec().apply(rgb), np.asarray(Pillow.fromarray(rgb).convert("L")))


def painted(share: float) -> Pixels:
    """A grey 20×20 image with RGB channels, of which ``share`` is red."""
    pixels = np.full((20, 20, 3), 90, np.uint8)
    pixels.reshape(-1, 3)[: round(share * 400)] = 255, 0, 0
    return pixels


def test_channels_are_inferred_from_colour_and_not_from_the_file() -> None:
    assert colour_share(painted(0.25)) == 0.25
    assert colour_share(painted(0.25).astype(np.uint16) * np.uint16(257)) == 0.25
    assert colour_share(GREY) == 0
    barely = np.full((4, 4, 3), 90, np.uint8)
    barely[..., 0] += 8
    assert colour_share(barely) == 0
    assert spec_of([painted(0.05)] * 3).channels == 1
    assert spec_of([painted(0.06)] * 3 + [painted(0), GREY]).channels == 3
    assert spec_of([painted(0.5), painted(0)]).channels == 1


@pytest.mark.parametrize(
    ("high", "bits"), [(255, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (4096, 14), (16384, 16), (65535, 16)]
)
def test_bits_hold_the_largest_value(high: int, bits: int) -> None:
    assert spec_of([np.zeros((4, 4), np.uint16), np.array([[0, high]], np.uint16)]).bits == bits


def test_no_image_has_no_spec() -> None:
    with pytest.raises(DataError, match="no image to tell channels and bits by"):
        spec_of([])


def test_ultrasound_with_marks_stays_grey(busi_root: Path) -> None:
    images = [read_image(path) for path in sorted(busi_root.glob("normal/normal (11*).png"))]
    assert any(pixels.ndim == 3 for pixels in images)
    assert max(colour_share(pixels) for pixels in images) > 0
    assert spec_of(images) == ImageSpec()
