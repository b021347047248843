from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.exposure import adjust_gamma, rescale_intensity
from skimage.filters import unsharp_mask

from busight.data.sources.catalogue import load
from busight.errors import RecipeError
from busight.preprocess.enhance.artifact.remove_overlays import remove_overlays
from busight.preprocess.enhance.contrast.depth_gain import depth_gain
from busight.preprocess.enhance.contrast.gamma import gamma
from busight.preprocess.enhance.contrast.standardise import standardise
from busight.preprocess.enhance.contrast.stretch import stretch
from busight.preprocess.enhance.edges.adaptive_threshold import adaptive_threshold
from busight.preprocess.enhance.edges.gradient import gradient
from busight.preprocess.enhance.edges.local_phase import local_phase
from busight.preprocess.enhance.edges.top_hat import top_hat
from busight.preprocess.enhance.edges.unsharp import unsharp

IMAGE = np.random.default_rng(0).integers(30, 200, (60, 80), dtype=np.uint8)


def test_gamma_agrees_with_scikit_image() -> None:
    np.testing.assert_allclose(gamma(IMAGE, 0.6), adjust_gamma(IMAGE, 0.6), atol=1)
    np.testing.assert_array_equal(gamma(IMAGE, 1.0), IMAGE)


def test_stretch_agrees_with_scikit_image() -> None:
    ends = tuple(np.percentile(IMAGE, (5, 90), method="inverted_cdf"))
    wanted = np.rint(rescale_intensity(IMAGE.astype(float), in_range=ends, out_range=(0, 255)))
    np.testing.assert_array_equal(stretch(IMAGE, 5, 90), wanted)
    assert (stretch(IMAGE, 0, 100).min(), stretch(IMAGE, 0, 100).max()) == (0, 255)
    with pytest.raises(RecipeError, match="low 50 must be below high 50"):
        stretch(IMAGE, 50, 50)


def test_standardised_pictures_have_the_quantiles_of_the_reference() -> None:
    reference = "5 40 80 120 250"
    found = np.percentile(standardise(IMAGE, reference), [0, 25, 50, 75, 100])
    np.testing.assert_allclose(found, [5, 40, 80, 120, 250], atol=2)
    # Gain and gamma before it hardly matter after it.
    brighter = gamma(IMAGE, 0.7)
    difference = standardise(brighter).astype(int) - standardise(IMAGE)
    assert np.abs(difference).max() <= 8
    for wrong in ("", "5", "a b", "0 300", "50 40"):
        with pytest.raises(RecipeError, match="two or more grey values"):
            standardise(IMAGE, wrong)


def test_depth_gain_levels_what_grows_dark() -> None:
    rows = np.linspace(180, 40, 100)
    rng = np.random.default_rng(0)
    image = np.clip(rows[:, None] + rng.normal(0, 8, (100, 80)), 1, 255).astype(np.uint8)
    image[:, :10] = 0
    found = depth_gain(image, strength=1.0)
    assert (found[:, :10] == 0).all()
    before, after = (np.ptp(one[:, 10:].mean(axis=1)) for one in (image, found))
    assert after < 0.25 * before
    np.testing.assert_array_equal(depth_gain(image, strength=0.0), image)


def test_unsharp_agrees_with_scikit_image() -> None:
    wanted = 255 * unsharp_mask(IMAGE / 255, radius=2, amount=1.5)
    inner = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(unsharp(IMAGE, 2, 1.5)[inner], wanted[inner], atol=2.5)


def test_adaptive_threshold_by_hand() -> None:
    image = np.full((31, 31), 100, np.uint8)
    image[10:14, 10:14] = 60
    found = adaptive_threshold(image, "mean", 15, 5)
    assert set(np.unique(found)) == {0, 255}
    assert (found[10:14, 10:14] == 0).all()
    assert found[0, 0] == 255
    with pytest.raises(RecipeError, match="method 'otsu' must be mean or gaussian"):
        adaptive_threshold(image, "otsu")


def test_top_hat_shows_small_spots_only() -> None:
    image = np.full((80, 80), 120, np.uint8)
    image[20:26, 20:26] = 60
    image[40:80, 40:80] = 60
    dark = top_hat(image, 15, "dark")
    assert (dark[21:25, 21:25] == 60).all()
    assert dark[60, 60] == 0
    assert top_hat(image, 15, "bright").max() <= 60
    with pytest.raises(RecipeError, match="kind 'white' must be bright or dark"):
        top_hat(image, 15, "white")


def test_gradient_of_a_ramp_is_its_slope() -> None:
    ramp = np.arange(60, dtype=np.uint8)[None, :].repeat(40, axis=0)
    assert (gradient(ramp, 1.0, 10.0)[10:30, 10:50] == 10).all()
    smooth = gaussian_filter(IMAGE.astype(float), 1.5, mode="reflect")
    down, across = np.gradient(smooth)
    wanted = 4 * np.hypot(down, across)
    # Scharr's three rows smooth a little more.
    found = gradient(IMAGE)[5:-5, 5:-5].astype(float)
    assert np.corrcoef(found.ravel(), wanted[5:-5, 5:-5].ravel())[0, 1] > 0.97


def test_local_phase_tells_ridges_from_bands_whatever_the_contrast() -> None:
    columns = np.arange(128)
    wave = np.cos(2 * np.pi * columns / 32)[None, :].repeat(128, axis=0)
    strong, weak = ((120 + half * wave).astype(np.uint8) for half in (100, 12))
    for image in (strong, weak):
        found = local_phase(image, wavelength=32)
        assert found[64, 64] > 230  # a crest
        assert found[64, 48] < 25  # a trough
        assert abs(int(found[64, 56]) - 128) < 16  # an edge
    assert np.abs(local_phase(strong, 32).astype(int) - local_phase(weak, 32))[20:-20, 20:-20].max() < 20


def test_overlays_are_painted_over_and_tissue_stays() -> None:
    clean, marked = load("phantom:12,seed=4"), load("phantom:12,seed=4,overlays=1")
    wrong_before, wrong_after = [], []
    for sample in clean.samples:
        before, burned = clean.reader.image(sample).astype(int), marked.reader.image(sample)
        found = remove_overlays(burned).astype(int)
        strokes = np.abs(burned - before) > 40
        wrong_before += np.abs(burned - before)[strokes].tolist()
        wrong_after += np.abs(found - before)[strokes].tolist()
        assert (found == before).mean() > 0.9
    assert np.mean(wrong_after) < 0.5 * np.mean(wrong_before)
