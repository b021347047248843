import cv2
import numpy as np
import pytest
from skimage.filters import threshold_otsu

from busight.segment.classical.otsu import otsu
from busight.segment.postprocess import PostprocessSettings, to_mask


def picture(*discs: tuple[int, int, int], shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    """Bright tissue with dark discs (row, column, radius) and some speckle."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.full(shape, 170.0)
    for row, column, radius in discs:
        image[np.hypot(rows - row, columns - column) < radius] = 40
    noise = np.random.default_rng(0).normal(0, 15, shape)
    return (image + noise).clip(0, 255).astype(np.uint8)


def disc(row: int, column: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:120, :160]
    return np.hypot(rows - row, columns - column) < radius


def test_a_dark_disc_is_found() -> None:
    scores = otsu(picture((60, 80, 20)))
    assert (scores.dtype, scores.shape) == (np.float32, (120, 160))
    found = to_mask(scores, PostprocessSettings())
    truth = disc(60, 80, 20)
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.95


def test_the_threshold_is_otsus() -> None:
    image = picture((60, 80, 20))
    smooth = cv2.GaussianBlur(image, (0, 0), 3.0)
    dark = smooth <= threshold_otsu(smooth)
    np.testing.assert_array_equal(otsu(image) > 0, dark)


def test_what_touches_the_border_counts_less_and_what_fills_a_corner_not_at_all() -> None:
    scores = otsu(picture((60, 80, 20), (0, 80, 20), (119, 159, 25)))
    assert scores[60, 80] > scores[2, 80]
    assert scores[117, 157] == 0


def test_the_central_and_compact_region_scores_best() -> None:
    scores = otsu(picture((60, 80, 16), (100, 140, 16)))
    assert scores[60, 80] > scores[100, 140] >= 0.5
    scores = otsu(picture((60, 45, 16), (60, 115, 5)))  # as central, but less than 2 % of the picture
    assert 1 >= scores[60, 45] > scores[60, 115] > 0.5
    # A disc and a slanting bar at the same distance from the centre, both large enough for the full weight.
    rows, columns = np.mgrid[:120, :160]
    bar = (np.abs(rows - 60 - (columns - 115)) < 4) & (np.abs(columns - 115) < 25)
    arc = bar | ((np.abs(rows - 60 + (columns - 115)) < 4) & (np.abs(columns - 115) < 25))  # a cross
    image = picture((60, 45, 14))
    image[arc] = 40
    scores = otsu(image)
    assert scores[60, 45] > scores[60, 115] > 0.5


def test_the_scores_stay_within_their_range() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).integers(0, 256, (64, 80), dtype=np.uint8)
        scores = otsu(noise, sigma=2.0)
        assert ((scores == 0) | ((scores >= 0.5) & (scores <= 1))).all()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_uniform_image_has_no_lesion(grey: int) -> None:
    assert not otsu(np.full((40, 50), grey, dtype=np.uint8)).any()
