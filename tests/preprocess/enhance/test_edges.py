from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import unsharp_mask

from busight.errors import ConfigError
from busight.preprocess.enhance.edges.adaptive_threshold import adaptive_threshold
from busight.preprocess.enhance.edges.gradient import gradient
from busight.preprocess.enhance.edges.local_phase import local_phase
from busight.preprocess.enhance.edges.top_hat import top_hat
from busight.preprocess.enhance.edges.unsharp import unsharp

IMAGE = np.random.default_rng(0).integers(30, 200, (60, 80), dtype=np.uint8)


def test_unsharp_agrees_with_scikit_image() -> None:
    expected = 255 * unsharp_mask(IMAGE / 255, radius=2, amount=1.5)
    inner = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(unsharp(IMAGE, 2, 1.5)[inner], expected[inner], atol=2.5)


def test_adaptive_threshold_by_hand() -> None:
    image = np.full((31, 31), 100, np.uint8)
    image[10:14, 10:14] = 60
    filtered = adaptive_threshold(image, "mean", 15, 5)
    assert set(np.unique(filtered)) == {0, 255}
    assert (filtered[10:14, 10:14] == 0).all()
    assert filtered[0, 0] == 255
    with pytest.raises(ConfigError, match="method 'otsu' must be mean or gaussian"):
        adaptive_threshold(image, "otsu")


def test_top_hat_shows_small_spots_only() -> None:
    image = np.full((80, 80), 120, np.uint8)
    image[20:26, 20:26] = 60
    image[40:80, 40:80] = 60
    dark = top_hat(image, 15, "dark")
    assert (dark[21:25, 21:25] == 60).all()
    assert dark[60, 60] == 0
    assert top_hat(image, 15, "bright").max() <= 60
    with pytest.raises(ConfigError, match="kind 'white' must be bright or dark"):
        top_hat(image, 15, "white")


def test_gradient_of_a_ramp_is_its_slope() -> None:
    ramp = np.arange(60, dtype=np.uint8)[None, :].repeat(40, axis=0)
    assert (gradient(ramp, 1.0, 10.0)[10:30, 10:50] == 10).all()
    smooth = gaussian_filter(IMAGE.astype(float), 1.5, mode="reflect")
    down, across = np.gradient(smooth)
    expected = 4 * np.hypot(down, across)
    # Scharr's three rows smooth a little more.
    filtered = gradient(IMAGE)[5:-5, 5:-5].astype(float)
    assert np.corrcoef(filtered.ravel(), expected[5:-5, 5:-5].ravel())[0, 1] > 0.97


def test_local_phase_tells_ridges_from_bands_whatever_the_contrast() -> None:
    columns = np.arange(128)
    wave = np.cos(2 * np.pi * columns / 32)[None, :].repeat(128, axis=0)
    strong, weak = ((120 + half * wave).astype(np.uint8) for half in (100, 12))
    for image in (strong, weak):
        filtered = local_phase(image, wavelength=32)
        assert filtered[64, 64] > 230  # a crest
        assert filtered[64, 48] < 25  # a trough
        assert abs(int(filtered[64, 56]) - 128) < 16  # an edge
    assert np.abs(local_phase(strong, 32).astype(int) - local_phase(weak, 32))[20:-20, 20:-20].max() < 20
