import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from busight.segment.postprocess import PostprocessSettings, entropy, to_mask

PLAIN = PostprocessSettings(minimum_share=0.0, components=1000, fill_holes=False)


def probabilities() -> np.ndarray:
    """A ring of 16 pixels at 0.6, a square of 9 at 0.9, a dot at 1.0; all in 20×20."""
    probs = np.full((20, 20), 0.1, dtype=np.float32)
    probs[2:7, 2:7] = 0.6
    probs[3:6, 3:6] = 0.2
    probs[12:15, 12:15] = 0.9
    probs[18, 3] = 1.0
    return probs


def expected(*parts: str) -> np.ndarray:
    mask = np.zeros((20, 20), dtype=bool)
    if "ring" in parts or "disc" in parts:
        mask[2:7, 2:7] = True
    if "ring" in parts:
        mask[3:6, 3:6] = False
    if "square" in parts:
        mask[12:15, 12:15] = True
    if "dot" in parts:
        mask[18, 3] = True
    return mask


@pytest.mark.parametrize(
    ("settings_", "parts"),
    [
        (PLAIN, ["ring", "square", "dot"]),
        (PostprocessSettings(minimum_share=0, components=9), ["disc", "square", "dot"]),
        # summed probabilities: ring 9.6, square 8.1, dot 1.0
        (PostprocessSettings(minimum_share=0), ["disc"]),
        (PostprocessSettings(minimum_share=0, components=2), ["disc", "square"]),
        (PostprocessSettings(minimum_share=0, fill_holes=False), ["ring"]),
        # a share of 0.0225 of 400 pixels is 9: the square is just large enough
        (PostprocessSettings(minimum_share=0.0225, components=9), ["disc", "square"]),
        (PostprocessSettings(minimum_share=0.025, components=9), ["disc"]),
        (PostprocessSettings(threshold=0.7, minimum_share=0), ["square"]),
        (PostprocessSettings(threshold=0.7, minimum_share=0.5), []),
        (PostprocessSettings(threshold=1.0, minimum_share=0), ["dot"]),
        # only the square and the dot reach 0.8 somewhere
        (PostprocessSettings(peak=0.8, minimum_share=0, components=9), ["square", "dot"]),
        (PostprocessSettings(peak=0.8, minimum_share=0), ["square"]),
        (PostprocessSettings(threshold=0.7, peak=0.6, minimum_share=0), ["square"]),  # asks less than the threshold
    ],
)
def test_by_hand(settings_: PostprocessSettings, parts: list[str]) -> None:
    mask = to_mask(probabilities(), settings_)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, expected(*parts))


def test_nothing_above_the_threshold() -> None:
    assert not to_mask(np.full((30, 40), 0.49, dtype=np.float32), PostprocessSettings()).any()
    assert to_mask(np.full((30, 40), 0.5, dtype=np.float32), PostprocessSettings()).all()


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    probs = np.zeros((20, 20), dtype=np.float32)
    probs[4:8, 4:8] = probs[8:12, 8:12] = 0.8
    assert to_mask(probs, PostprocessSettings()).sum() == 32


PROBS = arrays(np.float32, (16, 20), elements=st.sampled_from([np.float32(v) for v in (0.0, 0.2, 0.5, 0.75, 1.0)]))


@settings(max_examples=80, deadline=None)
@given(PROBS)
def test_filling_agrees_with_scipy(probs: np.ndarray) -> None:
    filled = to_mask(probs, PostprocessSettings(minimum_share=0, components=1000))
    np.testing.assert_array_equal(filled, ndimage.binary_fill_holes(probs >= 0.5))


@settings(max_examples=80, deadline=None)
@given(PROBS, st.integers(1, 3), st.sampled_from([0.0, 0.01, 0.05]))
def test_the_kept_regions_agree_with_scipy(probs: np.ndarray, components: int, minimum_share: float) -> None:
    wanted = PostprocessSettings(components=components, minimum_share=minimum_share, fill_holes=False)
    mask = to_mask(probs, wanted)
    labels, count = ndimage.label(probs >= 0.5, np.ones((3, 3)))
    masses = sorted(
        (
            float(probs[labels == label].sum())
            for label in range(1, count + 1)
            if (labels == label).sum() >= minimum_share * 320
        ),
        reverse=True,
    )
    assert float(probs[mask].sum()) == pytest.approx(sum(masses[:components]), rel=1e-6)
    _, number = ndimage.label(mask, np.ones((3, 3)))
    assert number == min(components, len(masses))
    assert (mask <= (probs >= 0.5)).all()


def test_smoothing_takes_threads_away_and_keeps_the_border() -> None:
    probs = np.zeros((60, 80), dtype=np.float32)
    yy, xx = np.mgrid[:60, :80]
    disc = (yy - 30) ** 2 + (xx - 30) ** 2 <= 15**2
    probs[disc] = 0.9
    probs[29:31, 45:75] = 0.9  # a thread that hangs on it
    mask = to_mask(probs, PostprocessSettings(smooth=0.2))
    assert not mask[:, 50:].any()
    assert (mask & disc).sum() > 0.97 * disc.sum()
    edge = np.zeros((60, 80), dtype=np.float32)
    edge[:20, 20:60] = 0.9
    np.testing.assert_array_equal(to_mask(edge, PostprocessSettings(smooth=0.1))[:15, 30:50], True)
    np.testing.assert_array_equal(to_mask(probs, PostprocessSettings(smooth=0.001)), probs > 0.5)


def test_smoothing_comes_before_components_are_counted_and_leaves_something() -> None:
    probs = np.zeros((60, 120), dtype=np.float32)
    yy, xx = np.mgrid[:60, :120]
    for column in (30, 90):
        probs[(yy - 30) ** 2 + (xx - column) ** 2 <= 15**2] = 0.9
    probs[29:31, 45:75] = 0.9  # a thread between two discs
    assert ndimage.label(to_mask(probs, PostprocessSettings(smooth=0.2)))[1] == 1
    assert ndimage.label(to_mask(probs, PostprocessSettings(smooth=0.2, components=2)))[1] == 2
    thin = np.zeros((200, 200), dtype=np.float32)
    thin[90:105, 30:170] = 0.9
    assert to_mask(thin, PostprocessSettings(smooth=0.5)).sum() == 15 * 140


def test_entropy_equals_scipy() -> None:
    from scipy.stats import entropy as reference

    probs = np.linspace(0, 1, 21, dtype=np.float32)[None]
    np.testing.assert_allclose(entropy(probs), reference([probs, 1 - probs], base=2), atol=1e-6)
