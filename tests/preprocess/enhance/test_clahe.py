import numpy as np
import pytest
from skimage.exposure import equalize_adapthist

from busight.errors import ConfigError
from busight.preprocess.enhance.contrast.clahe import clahe


def speckle(seed: int = 0, shape: tuple[int, int] = (128, 160)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shade = np.linspace(40, 120, shape[1])[None, :]
    return (rng.rayleigh(0.4, shape) * shade).clip(0, 255).astype(np.uint8)


def clipped_equalisation(image: np.ndarray, clip: float) -> np.ndarray:
    """One tile by the book: clip the histogram, spread what was cut off evenly, map by the cumulated histogram."""
    histogram = np.bincount(image.ravel(), minlength=256).astype(float)
    limit = max(1, int(clip * image.size / 256))
    surplus = np.maximum(histogram - limit, 0).sum()
    histogram = np.minimum(histogram, limit) + surplus / 256
    return (255 / image.size * histogram.cumsum())[image]


@pytest.mark.parametrize("clip", [1.5, 2.0, 4.0, 40.0])
def test_one_tile_agrees_with_the_formula(clip: float) -> None:
    image = speckle()
    # OpenCV spreads the surplus in whole counts: up to 255 of 20480 pixels land elsewhere, 255 · 255 / 20480 = 3 greys
    assert np.abs(clahe(image, clip, tiles=1) - clipped_equalisation(image, clip)).max() <= 4


def test_agrees_with_scikit_image() -> None:
    """Other rounding and padding, the same method: the two images are nearly the same."""
    image = speckle(1)
    reference = equalize_adapthist(image, kernel_size=(16, 20), clip_limit=3.0 / 256, nbins=256)
    assert np.corrcoef(clahe(image, 3.0, tiles=8).ravel(), reference.ravel())[0, 1] > 0.98


def test_a_low_limit_changes_less_than_a_high_one() -> None:
    image = speckle(2) // 3  # low contrast
    spread = [float(clahe(image, clip).std()) for clip in (1.0, 2.0, 4.0, 10.0)]
    assert spread == sorted(spread)
    assert spread[0] < spread[-1] / 1.5


def test_dark_and_light_halves_are_brought_together() -> None:
    image = speckle(3)
    image[:, :80] //= 4
    before = image[:, 80:].mean() / image[:, :80].mean()
    after = clahe(image, 4.0)
    assert after[:, 80:].mean() / after[:, :80].mean() < before / 1.5


@pytest.mark.parametrize(
    ("clip", "rule"), [(0, "clip 0 must"), (-1.0, "clip -1.0"), (41.0, "clip 41.0"), (float("nan"), "clip nan")]
)
def test_limits_that_cannot_be(clip: float, rule: str) -> None:
    with pytest.raises(ConfigError, match=f"clahe: {rule}.*above 0 and at most 40"):
        clahe(speckle(), clip)


@pytest.mark.parametrize("tiles", [0, -1, 33])
def test_tiles_that_cannot_be(tiles: int) -> None:
    with pytest.raises(ConfigError, match=f"clahe: tiles {tiles} must be 1 to 32"):
        clahe(speckle(), tiles=tiles)


def test_more_tiles_than_pixels_a_tile() -> None:
    assert clahe(speckle(shape=(16, 17)), tiles=32).shape == (16, 17)
