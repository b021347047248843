import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.preprocess.resize import invert, placement, resize_or_pad, resize_or_pad_mask

SIDES = st.integers(16, 400)
SIZES = st.sampled_from([32, 96, 224])


def test_averaging_by_hand() -> None:
    image = np.array([[0, 100], [20, 40]], dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    np.testing.assert_array_equal(resize_or_pad(image, 2, keep_aspect=False), [[0, 100], [20, 40]])
    checks = np.indices((32, 32)).sum(axis=0) % 2 * np.uint8(200)
    np.testing.assert_array_equal(resize_or_pad(checks.astype(np.uint8), 16, keep_aspect=False), np.full((16, 16), 100))


def test_padding_by_hand() -> None:
    image = np.full((100, 200), 77, dtype=np.uint8)
    padded = resize_or_pad(image, 64, keep_aspect=True)
    assert (padded[16:48] == 77).all()
    assert not padded[:16].any()
    assert not padded[48:].any()
    upright = resize_or_pad(np.ascontiguousarray(image.T), 64, keep_aspect=True)
    np.testing.assert_array_equal(upright, padded.T)


def test_a_picture_of_the_inputs_size_is_not_touched() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for keep_aspect in (True, False):
        np.testing.assert_array_equal(resize_or_pad(image, 64, keep_aspect), image)


def test_a_mask_pixel_is_lesion_from_half_its_area() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[:2, :2] = True  # all 4 pixels of the first cell
    mask[0, 2:4] = True  # 2 of 4 pixels of the second
    mask[0, 4] = True  # 1 of 4 pixels of the third
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, :2] = True
    np.testing.assert_array_equal(resize_or_pad_mask(mask, 4, keep_aspect=False), expected)
    ninths = np.zeros((12, 12), dtype=bool)
    ninths[0, :3] = ninths[1, :2] = True  # 5 of 9 pixels of the first cell
    ninths[0, 3:6] = ninths[1, 3] = True  # 4 of 9 pixels of the second
    expected[0, 1] = False
    np.testing.assert_array_equal(resize_or_pad_mask(ninths, 4, keep_aspect=False), expected)


@given(SIDES, SIDES, SIZES)
def test_a_kept_aspect_lies_inside_and_keeps_the_ratio(height: int, width: int, size: int) -> None:
    placed = placement(height, width, size, keep_aspect=True)
    box = placed.inside
    assert 0 <= box.top < box.bottom <= size
    assert 0 <= box.left < box.right <= size
    assert max(box.height, box.width) == size
    scale = size / max(height, width)
    assert abs(box.height - height * scale) <= 0.5
    assert abs(box.width - width * scale) <= 0.5
    assert abs(box.top - (size - box.bottom)) <= 1
    assert placement(height, width, size, keep_aspect=False).inside.height == size


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, SIZES, st.booleans())
def test_form_and_range_whatever_the_size(height: int, width: int, size: int, keep_aspect: bool) -> None:
    image = np.random.default_rng(height).integers(60, 200, (height, width), dtype=np.uint8)
    prepared = resize_or_pad(image, size, keep_aspect)
    assert (prepared.dtype, prepared.shape) == (np.uint8, (size, size))
    box = placement(height, width, size, keep_aspect).inside
    inside = prepared[box.top : box.bottom, box.left : box.right]
    assert image.min() <= inside.min() <= inside.max() <= image.max()
    assert int(prepared.sum()) == int(inside.sum())  # black around
    back = invert(prepared.astype(np.float32), height, width, keep_aspect, size)
    assert (back.dtype, back.shape) == (np.float32, (height, width))


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, SIZES, st.booleans(), st.integers(1, 4))
def test_there_and_back_a_point_stays_where_it_is(
    height: int, width: int, size: int, keep_aspect: bool, coarser: int
) -> None:
    """Ramps along each axis come back within a pixel of input or picture, also from a map at lower resolution."""
    scale = placement(height, width, size, keep_aspect)
    for axis, (side, taken) in enumerate([(height, scale.height), (width, scale.width)]):
        ramp = np.linspace(0, 250, side)
        image = (ramp[:, None] if axis == 0 else ramp[None, :]) * np.ones((height, width))
        forward = resize_or_pad(image.round().astype(np.uint8), size, keep_aspect).astype(np.float32)
        if coarser > 1 and size % (1 << coarser) == 0:
            step = 1 << coarser
            forward = forward.reshape(size // step, step, size // step, step).mean(axis=(1, 3))
        back = invert(forward, height, width, keep_aspect, size)
        cell = (1 << coarser if coarser > 1 else 1) * side / taken  # picture pixels in one cell of the map
        margin = int(np.ceil(2 * cell)) + 1  # at the border the map is continued flat, and padding bleeds in
        inner = (slice(margin, -margin),) * 2
        off = np.abs(back - image)[inner] * (side - 1) / 250
        if off.size and min(scale.height, scale.width) > 4 * (1 << coarser):
            assert off.max() <= 0.5 * cell + 1


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, st.booleans())
def test_a_large_disc_comes_back(height: int, width: int, keep_aspect: bool) -> None:
    rows, columns = np.mgrid[:height, :width]
    disc = ((rows / height - 0.45) / 0.3) ** 2 + ((columns / width - 0.55) / 0.3) ** 2 < 1
    if keep_aspect and max(height, width) > 5 * min(height, width):
        return  # a few input pixels high
    back = invert(resize_or_pad_mask(disc, 224, keep_aspect).astype(np.float32), height, width, keep_aspect, 224) >= 0.5
    assert 2 * (back & disc).sum() / (back.sum() + disc.sum()) > 0.93


@pytest.mark.parametrize("keep_aspect", [True, False])
def test_a_small_map_is_spread_over_the_picture(keep_aspect: bool) -> None:
    values = np.zeros((7, 7), dtype=np.float32)
    values[3, 3] = 1
    back = invert(values, 300, 500, keep_aspect, 224)
    row, column = np.unravel_index(int(back.argmax()), back.shape)
    assert abs(int(row) - 150) <= 3
    assert abs(int(column) - 250) <= 3
