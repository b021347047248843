"""Single filters against cases worked by hand, against other libraries, and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from busight.preprocess.enhance.denoise.bilateral import bilateral
from busight.preprocess.enhance.denoise.frost import frost
from busight.preprocess.enhance.denoise.kuan import kuan
from busight.preprocess.enhance.denoise.lee import lee
from busight.preprocess.enhance.denoise.perona_malik import perona_malik
from busight.preprocess.enhance.denoise.speckle_nlm import speckle_nlm
from busight.preprocess.enhance.denoise.srad import srad

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(20, 236, (15, 17), dtype=np.uint8)


def mirrored(image: np.ndarray, reach: int) -> np.ndarray:
    return np.pad(image.astype(float), reach, mode="symmetric")


def windows(image: np.ndarray, size: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(mirrored(image, size // 2), (size, size))


def test_lee_and_kuan_by_hand() -> None:
    image = np.full((5, 5), 100, np.uint8)
    image[2, 2] = 190
    # Around the middle: mean 110, variance 8 * 10^2 / 9 + 80^2 / 9 = 800, C^2 = 800 / 12100.
    share = 1 - 0.04 / (800 / 12100)
    assert lee(image, 3, 0.2)[2, 2] == round(110 + share * 80)
    assert kuan(image, 3, 0.2)[2, 2] == round(110 + share / 1.04 * 80)
    # With as much speckle as there is variation, the mean is all that is left.
    assert lee(image, 3, 0.3)[2, 2] == 110


@pytest.mark.parametrize("size", [3, 5, 7])
def test_lee_and_kuan_against_a_plain_form(size: int) -> None:
    around = windows(IMAGE, size)
    mean, variation = around.mean(axis=(2, 3)), around.var(axis=(2, 3)) / around.mean(axis=(2, 3)) ** 2
    speckle = 0.3**2
    share = np.maximum(1 - speckle / variation, 0)
    for filtered, of in ((lee(IMAGE, size, 0.3), share), (kuan(IMAGE, size, 0.3), share / (1 + speckle))):
        np.testing.assert_allclose(filtered, np.rint(mean + of * (IMAGE - mean)), atol=1)


@pytest.mark.parametrize(("size", "damping"), [(3, 2.0), (5, 2.0), (5, 0.0), (7, 50.0)])
def test_frost_against_a_plain_form(size: int, damping: float) -> None:
    around = windows(IMAGE, size)
    variation = around.var(axis=(2, 3)) / around.mean(axis=(2, 3)) ** 2
    rows, columns = np.indices((size, size)) - size // 2
    weights = np.exp(-damping * variation[..., None, None] * np.hypot(rows, columns))
    expected = (around * weights).sum(axis=(2, 3)) / weights.sum(axis=(2, 3))
    np.testing.assert_allclose(frost(IMAGE, size, damping), np.rint(expected), atol=1)


def test_one_step_of_perona_malik_by_hand() -> None:
    image = np.array([[10, 10, 40]], np.uint8)
    flow = 0.25 * 30 * math.exp(-((30 / 20) ** 2))
    assert perona_malik(image, steps=1, edge=20, rate=0.25).tolist() == [[10, round(10 + flow), round(40 - flow)]]


def test_perona_malik_keeps_the_mean() -> None:
    filtered = perona_malik(IMAGE, steps=30, edge=40)
    assert filtered.mean() == pytest.approx(IMAGE.mean(), abs=0.3)


def test_one_step_of_srad_by_a_plain_form() -> None:
    rate, decay = 0.5, 0.1
    intensity = np.exp(IMAGE / 255)
    padded = np.pad(intensity, 1, mode="edge")
    inner = intensity
    north, south = padded[:-2, 1:-1] - inner, padded[2:, 1:-1] - inner
    west, east = padded[1:-1, :-2] - inner, padded[1:-1, 2:] - inner
    gradient = (north**2 + south**2 + west**2 + east**2) / inner**2
    laplacian = (north + south + west + east) / inner
    squared = np.maximum((gradient / 2 - laplacian**2 / 16) / (1 + laplacian / 4) ** 2, 0)
    speckle = np.median(squared)
    share = 1 / np.maximum(1 + (squared - speckle) / (speckle * (1 + speckle)), 1)
    wide = np.pad(share, 1, mode="edge")
    change = share * north + wide[2:, 1:-1] * south + share * west + wide[1:-1, 2:] * east
    expected = np.rint(np.log(inner + rate / 4 * change) * 255)
    np.testing.assert_allclose(srad(IMAGE, 1, rate, decay), expected, atol=1)


def test_srad_smooths_speckle_more_than_edges() -> None:
    rng = np.random.default_rng(3)
    step = np.where(np.arange(96) < 48, 60, 170)[None, :].repeat(96, axis=0)
    noisy = np.clip(step * (1 + 0.1 * rng.standard_normal(step.shape)), 0, 255).astype(np.uint8)
    filtered = srad(noisy, steps=60, rate=0.2)
    assert filtered[:, 5:40].std() < 0.5 * noisy[:, 5:40].std()
    assert filtered[:, 52:60].mean() - filtered[:, 36:44].mean() > 0.9 * 110


def test_speckle_nlm_against_a_plain_form() -> None:
    patch, search, strength, exponent = 3, 5, 1.0, 0.5
    values = IMAGE.astype(float)
    around = windows(IMAGE, patch)
    mean = around.mean(axis=(2, 3))
    noise = np.median(around.var(axis=(2, 3)) / mean ** (2 * exponent))
    wide = np.pad(values, 2, mode="symmetric")
    total, weights = np.zeros_like(values), np.zeros_like(values)
    for down in range(search):
        for right in range(search):
            other = wide[down : down + 15, right : right + 17]
            distance = (values - other) ** 2 / np.maximum(other, 1) ** (2 * exponent)
            weight = np.exp(-windows(distance, patch).mean(axis=(2, 3)) / (2 * noise * strength**2))
            total, weights = total + weight * other, weights + weight
    np.testing.assert_allclose(speckle_nlm(IMAGE, strength, exponent, patch, search), np.rint(total / weights), atol=1)


def test_bilateral_against_a_plain_form() -> None:
    around = windows(IMAGE, 7)
    rows, columns = np.indices((7, 7)) - 3
    weights = np.exp(-((around - IMAGE[..., None, None]) ** 2) / (2 * 30**2) - (rows**2 + columns**2) / (2 * 2**2))
    weights = weights * (np.hypot(rows, columns) <= 3)  # OpenCV's window is a disc of 1.5 sigma
    expected = (around * weights).sum(axis=(2, 3)) / weights.sum(axis=(2, 3))
    np.testing.assert_allclose(bilateral(IMAGE, 30, 2), np.rint(expected), atol=1)
