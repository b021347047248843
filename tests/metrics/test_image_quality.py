from __future__ import annotations

import math

import numpy as np
import pytest

from busight.metrics.image_quality import (
    contrast_to_noise,
    edge_preservation,
    generalised_cnr,
    psnr,
    speckle_snr,
    ssim,
    surroundings,
)

RNG = np.random.default_rng(0)
CLEAN = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
NOISY = np.clip(CLEAN + RNG.normal(0, 12, CLEAN.shape), 0, 255).astype(np.uint8)


def test_psnr_by_hand_and_of_equal_pictures() -> None:
    clean = np.full((2, 2), 100, np.uint8)
    off = np.array([[103, 100], [100, 101]], np.uint8)  # mean squared error 10 / 4
    assert psnr(off, clean) == pytest.approx(10 * math.log10(255**2 / 2.5))
    assert psnr(CLEAN, CLEAN) == math.inf


def test_likeness_is_one_for_the_same_picture_and_falls_with_noise() -> None:
    assert ssim(CLEAN, CLEAN) == pytest.approx(1)
    assert edge_preservation(CLEAN, CLEAN) == pytest.approx(1)
    assert 0 < ssim(NOISY, CLEAN) < 1
    assert 0 < edge_preservation(NOISY, CLEAN) < 1
    # A gain does not change edges.
    assert edge_preservation(CLEAN // 2 * 2, CLEAN // 2) == pytest.approx(1)
    assert math.isnan(ssim(CLEAN[:5, :5], CLEAN[:5, :5]))
    assert math.isnan(edge_preservation(np.zeros_like(CLEAN), CLEAN))


def test_contrasts_by_hand() -> None:
    image = np.array([[10, 20, 30, 40, 40, 50]], np.uint8)
    lesion = np.array([[True, True, True, False, False, False]])
    inside, outside = image[0, :3].astype(float), image[0, 3:].astype(float)
    wanted = (outside.mean() - inside.mean()) / math.sqrt(inside.var() + outside.var())
    assert contrast_to_noise(image, lesion, ~lesion) == pytest.approx(wanted)
    assert generalised_cnr(image, lesion, ~lesion) == 1  # no grey value in both
    image[0, 3] = 30
    assert generalised_cnr(image, lesion, ~lesion) == pytest.approx(1 - 1 / 3)
    assert speckle_snr(image, lesion) == pytest.approx(20 / inside.std())


def test_generalised_cnr_is_what_the_best_threshold_gains() -> None:
    lesion = np.zeros((60, 60), bool)
    lesion[20:40, 20:40] = True
    image = np.where(lesion, RNG.normal(90, 15, lesion.shape), RNG.normal(130, 15, lesion.shape))
    grey = image.clip(0, 255).astype(np.uint8)
    around = surroundings(lesion)
    errors = [((grey[lesion] > t).mean() + (grey[around] <= t).mean()) / 2 for t in range(256)]
    # Any set of grey values may be used, so it is never less than the best single threshold; here hardly more.
    assert 1 - 2 * min(errors) <= generalised_cnr(grey, lesion, around) + 1e-12
    stretched = (grey // 2 + 100).astype(np.uint8)
    assert generalised_cnr(stretched, lesion, around) == pytest.approx(generalised_cnr(grey, lesion, around), abs=0.08)


def test_what_is_undefined_is_nan() -> None:
    nothing = np.zeros(CLEAN.shape, bool)
    everything = ~nothing
    flat = np.full(CLEAN.shape, 7, np.uint8)
    for found in (
        contrast_to_noise(CLEAN, nothing, everything),
        generalised_cnr(CLEAN, everything, nothing),
        contrast_to_noise(flat, everything, everything),
        speckle_snr(CLEAN, nothing),
        speckle_snr(flat, everything),
    ):
        assert math.isnan(found)
    assert not surroundings(nothing).any()


def test_the_ring_lies_around_the_lesion() -> None:
    lesion = np.zeros((200, 200), bool)
    lesion[80:120, 80:120] = True
    ring = surroundings(lesion)
    assert not (ring & lesion).any()
    assert 0.6 < ring.sum() / lesion.sum() < 1.8
    assert not ring[78:122, 78:122].any()
