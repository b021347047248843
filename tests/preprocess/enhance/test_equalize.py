import numpy as np
import pytest
from skimage.exposure import equalize_hist

from busight.preprocess.enhance.contrast.equalize import equalize


def test_by_hand() -> None:
    image = np.array([[10, 10, 10, 10], [20, 20, 30, 30], [30, 30, 30, 30], [90, 90, 90, 90]], dtype=np.uint8)
    # 12 of the 16 pixels are above the darkest value: 20 → 255 · 2/12, 30 → 255 · 8/12, 90 → 255
    expected = np.array([[0] * 4, [42, 42, 170, 170], [170] * 4, [255] * 4], dtype=np.uint8)
    np.testing.assert_array_equal(equalize(image), expected)


def test_agrees_with_scikit_images_distribution() -> None:
    """scikit-image maps r to CDF(r); ours is the same line stretched so that the darkest value becomes 0."""
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(90, 20, (60, 80)), 0, 255).astype(np.uint8)
    # scikit-image gives the CDF between bin centres; its own values at the pixels are exact for 256 unit bins.
    full = np.concatenate([image.ravel(), np.arange(256, dtype=np.uint8)])
    cdf = equalize_hist(full, nbins=256)[: image.size].reshape(image.shape)
    darkest = cdf.min()
    reference = 255 * (cdf - darkest) / (1 - darkest)
    assert np.abs(equalize(image) - reference).max() < 10  # the ramp that was added weighs 256 of 5056 pixels
    assert (
        np.abs(np.bincount(equalize(image).ravel(), minlength=256).cumsum() / image.size - np.arange(256) / 255).mean()
        < 0.03
    )


def test_order_is_kept_and_a_uniform_image_stays() -> None:
    image = np.random.default_rng(1).integers(30, 90, (40, 40), dtype=np.uint8)
    mapped = [np.unique(equalize(image)[image == grey]) for grey in np.unique(image)]
    assert all(len(values) == 1 for values in mapped)
    assert (np.diff([int(values[0]) for values in mapped]) > 0).all()
    assert (equalize(image).min(), equalize(image).max()) == (0, 255)
    plain = np.full((16, 16), 77, dtype=np.uint8)
    np.testing.assert_array_equal(equalize(plain), plain)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_formula(seed: int) -> None:
    image = np.random.default_rng(seed).gamma(2, 25, (50, 60)).clip(0, 255).astype(np.uint8)
    cdf = np.bincount(image.ravel(), minlength=256).cumsum()
    darkest = cdf[image.min()]
    formula = np.rint(255 * (cdf[image] - darkest) / (image.size - darkest))
    assert np.abs(equalize(image) - formula).max() <= 1  # OpenCV computes in float32
