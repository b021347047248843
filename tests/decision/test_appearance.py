from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from sklearn.datasets import load_sample_images

from busight.data.sources.catalogue import load_data
from busight.decision.appearance import fit_appearance_detector, other_pictures
from busight.errors import DataError
from busight.metrics.image_statistics import NAMES, image_statistics
from busight.metrics.layout import black_share, seam_strength
from busight.metrics.mahalanobis import Gaussian
from busight.types import Image

DATA = load_data("phantom:140,size=128")
STATISTICS = np.array([image_statistics(DATA.reader.image(sample)) for sample in DATA.samples])


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["flat", "noise", "step"]), st.integers(0, 255))
def test_statistics_of_any_image_are_finite(height: int, width: int, kind: str, level: int) -> None:
    image = np.full((height, width), level, np.uint8)
    if kind == "noise":
        image = np.random.default_rng(level).integers(0, 256, image.shape).astype(np.uint8)
    if kind == "step":
        image[height // 2 :] = 255 - level
    found = image_statistics(image)
    assert found.shape == (len(NAMES),)
    assert np.isfinite(found).all()


def test_statistics_say_what_their_names_say() -> None:
    rows = np.repeat(np.linspace(200, 0, 128)[:, None], 128, axis=1).astype(np.uint8)
    found = dict(zip(NAMES, image_statistics(rows), strict=True))
    turned = dict(zip(NAMES, image_statistics(np.ascontiguousarray(rows.T)), strict=True))
    assert found["mean grey"] == pytest.approx(100 / 255, abs=0.01)
    assert found["fall with depth"] == pytest.approx(100 / 255, abs=0.02)
    assert turned["fall with depth"] == pytest.approx(0, abs=0.01)
    assert found["layering"] == pytest.approx(-turned["layering"], abs=1e-6)
    assert found["layering"] > 1
    assert (found["mirror symmetry"], turned["mirror symmetry"]) == (
        pytest.approx(1),
        pytest.approx(-1, abs=1e-4),
    )


DETECTOR = fit_appearance_detector(STATISTICS[:100])
PHANTOMS = [DATA.reader.image(sample) for sample in DATA.samples[100:]]


def test_the_detector_lets_its_own_kind_pass_and_rejects_photographs_and_noise() -> None:
    assert (DETECTOR.score(STATISTICS[:100]) > DETECTOR.limit).sum() == 1
    assert (DETECTOR.score(STATISTICS[100:]) > DETECTOR.limit).mean() <= 0.1
    # Two photographs of scikit-learn, which are not among the pictures that it was fitted against.
    pictures = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in load_sample_images().images]
    pictures += [skimage.data.camera(), skimage.data.page(), skimage.data.text(), skimage.data.coins()]
    rng = np.random.default_rng(0)
    pictures += [rng.integers(0, 256, (200, 300)).astype(np.uint8), np.full((100, 100), 128, np.uint8)]
    for picture in pictures:
        assert DETECTOR.rejection(picture) is not None


def test_colour_an_empty_field_and_two_images_are_named() -> None:
    assert all(seam_strength(image) < 2 for image in PHANTOMS)
    image = PHANTOMS[0]
    assert DETECTOR.rejection(image) is None
    assert DETECTOR.rejection(image, coloured=0.01) is None
    assert str(DETECTOR.rejection(image, coloured=0.1)).startswith("coloured in 10 % of its pixels")
    assert black_share(np.zeros((50, 60), np.uint8)) == 1
    assert str(DETECTOR.rejection(image // 20)).startswith("nearly without echoes")
    gap = np.zeros((image.shape[0], 4), np.uint8)
    reasons = [
        DETECTOR.rejection(np.hstack([left, gap, right]))
        for left, right in zip(PHANTOMS[:20], PHANTOMS[20:], strict=True)
    ]
    assert all(reasons)
    assert sum(str(reason).startswith("two images side by side") for reason in reasons) >= 10
    line = image.copy()
    line[:, line.shape[1] // 2] = 255
    assert seam_strength(line) == 0


def test_without_a_gap_most_pairs_are_found_too() -> None:
    seams = [seam_strength(np.hstack(pair)) for pair in zip(PHANTOMS[:20], PHANTOMS[20:], strict=True)]
    assert np.mean(np.array(seams) > 2) >= 0.8


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 255))
def test_any_image_has_a_seam_strength(height: int, width: int, level: int) -> None:
    image: Image = np.full((height, width), level, np.uint8)
    image[:, width // 2 :] = 255 - level
    assert np.isfinite(seam_strength(image))


def test_limits_widen_with_the_images_of_the_training() -> None:
    seams = np.r_[np.ones(80), np.full(20, 5.0)]
    detector = fit_appearance_detector(STATISTICS[:100], seams, np.full(100, 0.9))
    assert (detector.seam, detector.black) == (5.0, pytest.approx(0.9))


def test_the_score_is_linear_in_statistics_squares_and_distance() -> None:
    away = (STATISTICS[:5] - np.array(DETECTOR.mean)) / np.array(DETECTOR.deviation)
    distances = [mahalanobis(one, np.zeros(len(one)), np.array(DETECTOR.precision)) for one in away]
    expected = np.c_[away, away**2, distances] @ np.array(DETECTOR.weights)
    np.testing.assert_allclose(DETECTOR.score(STATISTICS[:5]), expected)
    known = Gaussian(np.array(DETECTOR.mean), np.array(DETECTOR.deviation), np.array(DETECTOR.precision))
    np.testing.assert_allclose(known.distance(STATISTICS[:5]), distances)


def test_other_pictures_are_hundreds_of_finite_statistics() -> None:
    others = other_pictures()
    assert others.shape[0] > 400
    assert others.shape[1] == len(NAMES)
    assert np.isfinite(others).all()


def test_too_few_images_are_refused() -> None:
    with pytest.raises(DataError, match="39 images: at least 40"):
        fit_appearance_detector(STATISTICS[:39])
