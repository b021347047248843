import cv2
import numpy as np
import pytest
from skimage.filters import threshold_otsu

from busight.segment.classical.flatten import flattened
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
    flat = flattened(image)
    dark = flat <= threshold_otsu(flat)
    # Specks below 0.4 % of the picture are no candidates; here the disc is the only region above it.
    np.testing.assert_array_equal(otsu(image) > 0, dark & disc(60, 80, 24))


def test_what_touches_the_border_is_not_the_lesion() -> None:
    scores = otsu(picture((60, 80, 20), (0, 30, 25), (119, 120, 25), (60, 0, 15), (60, 159, 15)))
    np.testing.assert_array_equal(scores >= 0.5, (scores >= 0.5) & disc(60, 80, 24))
    assert 0 < scores[10, 30] < 0.5


def test_the_central_and_compact_region_is_the_lesion() -> None:
    scores = otsu(picture((60, 80, 16), (100, 140, 16)))
    assert scores[60, 80] >= 0.5 > scores[100, 140] > 0
    scores = otsu(picture((60, 45, 16), (60, 115, 7)))  # as central, but smaller
    assert scores[60, 45] >= 0.5 > scores[60, 115] > 0
    # A disc and a cross of about its area at the same distance from the centre.
    rows, columns = np.mgrid[:120, :160]
    near = np.abs(columns - 115) < 22
    cross = near & ((np.abs(rows - 60 - (columns - 115)) < 5) | (np.abs(rows - 60 + (columns - 115)) < 5))
    image = picture((60, 45, 15))
    image[cross] = 40
    scores = otsu(image)
    assert scores[60, 45] >= 0.5 > scores[60, 115] > 0


def test_a_shadow_does_not_hide_the_lesion() -> None:
    """One threshold for the whole picture would take the dark side and leave the lesion in the bright one."""
    image = picture((60, 60, 18)).astype(np.float32)
    image *= np.linspace(1.4, 0.3, 160, dtype=np.float32)
    found = to_mask(otsu(image.clip(0, 255).astype(np.uint8)), PostprocessSettings())
    truth = disc(60, 60, 18)
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.85


def test_one_region_at_most_is_the_lesion() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).integers(0, 256, (64, 80), dtype=np.uint8)
        scores = otsu(noise)
        assert 0 <= scores.min() <= scores.max() <= 1
        count, _ = cv2.connectedComponents((scores >= 0.5).astype(np.uint8), connectivity=4)
        assert count <= 2  # the background counts


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_uniform_image_has_no_lesion(grey: int) -> None:
    assert not otsu(np.full((40, 50), grey, dtype=np.uint8)).any()
