from __future__ import annotations

import numpy as np
import pytest
from skimage.exposure import adjust_gamma, rescale_intensity

from busight.errors import ConfigError
from busight.preprocess.enhance.contrast.gamma import gamma
from busight.preprocess.enhance.contrast.histogram_standardization import histogram_standardization
from busight.preprocess.enhance.contrast.stretch import stretch
from busight.preprocess.enhance.contrast.tgc import tgc

IMAGE = np.random.default_rng(0).integers(30, 200, (60, 80), dtype=np.uint8)


def test_gamma_agrees_with_scikit_image() -> None:
    np.testing.assert_allclose(gamma(IMAGE, 0.6), adjust_gamma(IMAGE, 0.6), atol=1)
    np.testing.assert_array_equal(gamma(IMAGE, 1.0), IMAGE)


def test_stretch_agrees_with_scikit_image() -> None:
    ends = tuple(np.percentile(IMAGE, (5, 90), method="inverted_cdf"))
    expected = np.rint(rescale_intensity(IMAGE.astype(float), in_range=ends, out_range=(0, 255)))
    np.testing.assert_array_equal(stretch(IMAGE, 5, 90), expected)
    assert (stretch(IMAGE, 0, 100).min(), stretch(IMAGE, 0, 100).max()) == (0, 255)
    for low, high, rule in ((50, 50, "low 50 must be below high 50"), (99.5, 99.0, "low 99.5 must be below high 99.0")):
        with pytest.raises(ConfigError, match=f"stretch: {rule}"):
            stretch(IMAGE, low, high)
    for low, high, rule in ((-1, 50, "low -1 must be 0 to 100"), (50, 100.5, "high 100.5 must be 0 to 100")):
        with pytest.raises(ConfigError, match=f"stretch: {rule}"):
            stretch(IMAGE, low, high)


def test_histogram_standardization_gives_the_quantiles_of_the_reference() -> None:
    reference = "5 40 80 120 250"
    filtered = np.percentile(histogram_standardization(IMAGE, reference), [0, 25, 50, 75, 100])
    np.testing.assert_allclose(filtered, [5, 40, 80, 120, 250], atol=2)
    # Gain and gamma before it hardly matter after it.
    brighter = gamma(IMAGE, 0.7)
    difference = histogram_standardization(brighter).astype(int) - histogram_standardization(IMAGE)
    assert np.abs(difference).max() <= 8
    for wrong in ("", "5", "a b", "0 300", "50 40"):
        with pytest.raises(ConfigError, match="two or more grey values"):
            histogram_standardization(IMAGE, wrong)


def test_tgc_levels_brightness_over_depth() -> None:
    rows = np.linspace(180, 40, 100)
    rng = np.random.default_rng(0)
    image = np.clip(rows[:, None] + rng.normal(0, 8, (100, 80)), 1, 255).astype(np.uint8)
    image[:, :10] = 0
    filtered = tgc(image, strength=1.0)
    assert (filtered[:, :10] == 0).all()
    before, after = (np.ptp(values[:, 10:].mean(axis=1)) for values in (image, filtered))
    assert after < 0.25 * before
    np.testing.assert_array_equal(tgc(image, strength=0.0), image)
