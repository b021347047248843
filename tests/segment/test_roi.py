import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops

from busight.segment.roi import bounding_box, region_of_interest
from busight.types import Roi


def box_mask(height: int, width: int, top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((height, width), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_box_agrees_with_scikit_image() -> None:
    mask = np.random.default_rng(0).random((50, 60)) > 0.999
    top, left, bottom, right = regionprops(mask.astype(int))[0].bbox
    assert bounding_box(mask) == Roi(top, left, bottom, right)


@pytest.mark.parametrize(
    ("mask", "margin", "square", "expected"),
    [
        # 20×40 lesion; the margin is a quarter of 40 on each side: 40×60, made square: 60×60 around (50, 60)
        (box_mask(100, 120, 40, 40, 60, 80), 0.25, True, Roi(20, 30, 80, 90)),
        (box_mask(100, 120, 40, 40, 60, 80), 0.25, False, Roi(30, 30, 70, 90)),
        (box_mask(100, 120, 40, 40, 60, 80), 0.0, False, Roi(40, 40, 60, 80)),
        # in the corner the square is moved inwards, not cut
        (box_mask(100, 120, 0, 0, 20, 40), 0.25, True, Roi(0, 0, 60, 60)),
        (box_mask(100, 120, 90, 110, 100, 120), 0.5, True, Roi(80, 100, 100, 120)),
        # no room for a square: as much as there is
        (box_mask(100, 300, 10, 50, 90, 250), 0.25, True, Roi(0, 0, 100, 300)),
        (box_mask(100, 120, 0, 0, 0, 0), 0.25, True, Roi(0, 0, 100, 120)),
        (box_mask(16, 16, 5, 5, 6, 6), 0.0, True, Roi(5, 5, 6, 6)),
    ],
)
def test_by_hand(mask: np.ndarray, margin: float, square: bool, expected: Roi) -> None:
    assert region_of_interest(mask, margin, square) == expected


@given(st.integers(16, 200), st.integers(16, 200), st.floats(0, 10), st.booleans(), st.data())
def test_the_region_lies_inside_and_holds_the_lesion(
    height: int, width: int, margin: float, square: bool, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    roi = region_of_interest(box_mask(height, width, top, left, bottom, right), margin, square)
    assert 0 <= roi.top <= top < bottom <= roi.bottom <= height
    assert 0 <= roi.left <= left < right <= roi.right <= width
    assert all(isinstance(edge, int) for edge in (roi.top, roi.left, roi.bottom, roi.right))
    if square and max(roi.height, roi.width) < min(height, width):
        assert roi.height == roi.width


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_any_mask(height: int, width: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) > 0.9
    roi = region_of_interest(mask)
    assert mask[roi.top : roi.bottom, roi.left : roi.right].sum() == mask.sum()
    assert roi.height >= 1
    assert roi.width >= 1
