from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from sklearn.datasets import load_sample_images
from sklearn.neighbors import NearestNeighbors

from busight.data.sources.catalogue import load_data
from busight.decision.ood import feature_distance, fit_appearance_detector, similarity
from busight.errors import DataError
from busight.metrics.image_statistics import NAMES, image_statistics

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


def test_the_gate_lets_its_own_kind_pass_and_refuses_photographs_and_noise() -> None:
    gate = fit_appearance_detector(STATISTICS[:100])
    assert (gate.distance(STATISTICS[:100]) > gate.limit).sum() == 1
    assert (gate.distance(STATISTICS[100:]) > gate.limit).mean() <= 0.15
    pictures = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in load_sample_images().images]
    pictures += [skimage.data.camera(), skimage.data.page(), skimage.data.text(), skimage.data.coins()]
    rng = np.random.default_rng(0)
    pictures += [rng.integers(0, 256, (200, 300)).astype(np.uint8), np.full((100, 100), 128, np.uint8)]
    distances = gate.distance(np.array([image_statistics(one) for one in pictures]))
    assert (distances > gate.limit).all(), distances / gate.limit


def test_the_distance_is_that_of_scipy() -> None:
    gate = fit_appearance_detector(STATISTICS)
    away = (STATISTICS - np.array(gate.mean)) / np.array(gate.deviation)
    expected = [mahalanobis(one, np.zeros(len(one)), np.array(gate.precision)) for one in away[:5]]
    np.testing.assert_allclose(gate.distance(STATISTICS[:5]), expected)


def test_too_few_images_are_refused() -> None:
    with pytest.raises(DataError, match="39 images: at least 40"):
        fit_appearance_detector(STATISTICS[:39])


def test_feature_distance_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    known, features = rng.normal(size=(50, 8)), rng.normal(size=(20, 8))
    expected = NearestNeighbors(n_neighbors=5, metric="cosine").fit(known).kneighbors(features)[0][:, -1]
    np.testing.assert_allclose(feature_distance(features, known), expected)
    assert feature_distance(features, known[:2]).shape == (20,)


def test_a_feature_of_nothing_is_like_nothing() -> None:
    assert similarity(np.zeros((1, 3)), np.ones((2, 3))).tolist() == [[0.0, 0.0]]
