from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from busight.decision.ood import feature_distance, similarity


def test_feature_distance_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    known, features = rng.normal(size=(50, 8)), rng.normal(size=(20, 8))
    expected = NearestNeighbors(n_neighbors=5, metric="cosine").fit(known).kneighbors(features)[0][:, -1]
    np.testing.assert_allclose(feature_distance(features, known), expected)
    assert feature_distance(features, known[:2]).shape == (20,)


def test_a_feature_of_nothing_is_like_nothing() -> None:
    assert similarity(np.zeros((1, 3)), np.ones((2, 3))).tolist() == [[0.0, 0.0]]
