from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.descriptors.lesion_view import lesion_view
from busight.descriptors.lexicon import NOT_VISIBLE, describe, lesion_features
from busight.descriptors.margin import margin_features
from busight.descriptors.posterior import posterior_features
from busight.descriptors.shape import shape_features
from busight.errors import DataError
from busight.types import Image, Mask


def ellipse(width: float, depth: float, turn: float = 0.0, side: int = 256) -> Mask:
    canvas = np.zeros((side, side), np.uint8)
    cv2.ellipse(canvas, (side // 2, side // 2), (round(width / 2), round(depth / 2)), turn, 0, 360, 1, -1)
    return canvas.astype(bool)


def star(points: int, reach: float) -> Mask:
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = 40 * (1 + reach * (np.cos(points * angle) > 0.9))
    outline = np.stack([128 + radius * np.cos(angle), 128 + radius * np.sin(angle)], axis=1)
    canvas = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], 1)
    return canvas.astype(bool)


def grey_of(mask: Mask, inside: int = 40, outside: int = 120) -> Image:
    return np.where(mask, np.uint8(inside), np.uint8(outside))


def test_an_ellipse_has_the_numbers_of_an_ellipse() -> None:
    mask = ellipse(100, 50)
    found = shape_features(lesion_view(grey_of(mask), mask))
    assert found["elongation"] == pytest.approx(2, rel=0.03)
    assert found["depth-to-width ratio"] == pytest.approx(0.5, rel=0.03)
    assert found["depth-to-width ratio of the ellipse"] == pytest.approx(0.5, rel=0.03)
    assert found["orientation of the major axis"] == pytest.approx(0, abs=1)
    assert found["solidity"] == pytest.approx(1, abs=0.03)
    assert found["area fraction"] == pytest.approx(np.pi * 50 * 25 / 256**2, rel=0.03)
    assert found["Fourier descriptors 2 to 7"] < 0.03, "once its ellipse is a circle nothing is left"
    assert found["concave fraction"] < 0.05


def test_a_turned_ellipse_is_turned() -> None:
    mask = ellipse(100, 50, turn=60)
    assert shape_features(lesion_view(grey_of(mask), mask))["orientation of the major axis"] == pytest.approx(60, abs=2)


def test_spikes_are_fast_waves_and_turn_inwards() -> None:
    round_, spiked = ellipse(80, 80), star(12, 0.4)
    smooth, rough = (shape_features(lesion_view(grey_of(mask), mask)) for mask in (round_, spiked))
    assert rough["Fourier descriptors 8 to 15"] > 10 * smooth["Fourier descriptors 8 to 15"]
    assert rough["concave fraction"] > smooth["concave fraction"] + 0.1
    assert rough["convexity"] < 0.8 < smooth["convexity"]
    assert rough["circularity"] < smooth["circularity"] / 1.5


def test_a_mask_that_leaves_a_few_pixels_around_it_is_measured_too() -> None:
    mask = np.zeros((256, 256), dtype=bool)
    mask[3:-3, 3:-3] = True
    numbers = lesion_features(grey_of(mask), mask)
    assert 40 / 255 < numbers["darkest of the image"] < 120 / 255


def test_what_lies_behind_is_unknown_at_the_end_of_the_picture() -> None:
    mask = np.roll(ellipse(60, 40), 256 - 128 - 20 - 4, axis=0)
    numbers = lesion_features(grey_of(mask), mask)
    assert all(np.isnan(value) == name.startswith("behind") for name, value in numbers.items())
    found = describe(grey_of(mask), mask)
    assert found.word("posterior") == NOT_VISIBLE
    assert found.word("orientation") == "parallel"
    assert "posterior not visible" in found.sentence()


def test_the_size_is_that_of_the_mask_itself() -> None:
    mask = np.zeros((1000, 800), dtype=bool)
    mask[401:604, 302:505] = True
    found = describe(grey_of(mask), mask, (0.1, 0.2))
    assert (found.depth_px, found.width_px) == (203, 203)
    assert (found.depth_mm, found.width_mm) == pytest.approx((20.3, 40.6))


def test_a_blurred_edge_has_a_smaller_step() -> None:
    mask = ellipse(90, 70)
    sharp = grey_of(mask)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    steps = [margin_features(lesion_view(image, mask))["largest step at the edge"] for image in (sharp, soft)]
    assert steps[1] < 0.4 * steps[0]


@pytest.mark.parametrize(("level", "sign"), [(60, -1), (120, 0), (200, 1)])
def test_what_lies_behind_is_compared_with_both_sides(level: int, sign: int) -> None:
    mask = ellipse(80, 60)
    image = grey_of(mask)
    image[162:, 88:168] = level
    found = posterior_features(lesion_view(image, mask))
    if sign:
        assert np.sign(found["behind: mean"]) == sign
        assert abs(found["behind: mean"]) > 0.1
    else:
        assert found["behind: mean"] == pytest.approx(0, abs=0.02)
    assert found["behind: between sides"] < 0.05


def test_half_a_shadow_is_seen_on_one_side() -> None:
    mask = ellipse(80, 60)
    image = grey_of(mask)
    image[162:, 88:128] = 30
    found = posterior_features(lesion_view(image, mask))
    assert found["behind: darker side"] < -0.2
    assert abs(found["behind: brighter side"]) < 0.1


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        (np.zeros((256, 256), bool), "no lesion is outlined"),
        (ellipse(6, 6), "too small"),
        (np.roll(ellipse(80, 80), -100, axis=0), "touches the border"),
        (np.ones((256, 256), bool), "touches the border"),
    ],
)
def test_what_has_no_form_is_undefined_and_not_guessed(mask: Mask, why: str) -> None:
    with pytest.raises(DataError, match=why):
        describe(grey_of(mask), mask)


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 400), st.integers(60, 400), st.integers(0, 1000))
def test_numbers_of_any_lesion_are_finite(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), bool)
    top, left = rng.integers(1, height // 3), rng.integers(1, width // 3)
    mask[top : top + height // 3, left : left + width // 3] = True
    for image in (np.zeros((height, width), np.uint8), rng.integers(0, 256, (height, width)).astype(np.uint8)):
        try:
            found = lesion_features(image, mask)
        except DataError:
            continue  # at the working size it is too small, or at the border
        assert np.isfinite(list(found.values())).all()


def test_a_thin_lesion_has_numbers_without_a_warning() -> None:
    mask = ellipse(120, 5)
    found = lesion_features(grey_of(mask), mask)
    assert found["near over far contrast of the edge"] == 0, "nothing lies four pixels inside"
    assert np.isfinite(list(found.values())).all()


def test_the_largest_region_counts_without_its_holes() -> None:
    mask = ellipse(90, 70)
    holed = mask.copy()
    holed[120:130, 120:130] = False
    holed[10:20, 10:20] = True
    assert lesion_features(grey_of(mask), mask) == lesion_features(grey_of(mask), holed)
