from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.calibration_error import ece
from busight.metrics.curves import precision_recall_points, reliability_bins, roc_points


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(2, 60), levels=st.integers(1, 30))
def test_curves_equal_scikit_learn(seed: int, n_cases: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(levels, size=n_cases) / levels
    positive = rng.random(n_cases) < 0.5
    positive[:2] = True, False
    roc = roc_points(score, positive)
    expected = metrics.roc_curve(positive, score, drop_intermediate=False)
    for ours, reference in zip((roc.false_positive_rate, roc.sensitivity, roc.threshold), expected, strict=True):
        np.testing.assert_allclose(ours, reference)
    curve = precision_recall_points(score, positive)
    precision, recall, threshold = metrics.precision_recall_curve(positive, score)
    # scikit-learn runs upwards and adds the point (0, 1), which no threshold gives.
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
    np.testing.assert_allclose(curve.threshold[::-1], threshold)


def test_curves_without_positives_are_nan_where_undefined() -> None:
    score, positive = np.array([0.3, 0.8]), np.array([False, False])
    assert np.isnan(roc_points(score, positive).sensitivity).all()
    assert roc_points(score, positive).false_positive_rate.tolist() == [0, 0.5, 1]
    assert np.isnan(precision_recall_points(score, positive).recall).all()


def test_reliability_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.45, 0.55]])
    found = reliability_bins(np.array([0, 1, 1]), probs, bins=4)
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.count.tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(found.confidence, [np.nan, np.nan, 0.55, 0.85])
    np.testing.assert_allclose(found.accuracy, [np.nan, np.nan, 1.0, 0.5])


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(1, 100))
def test_the_gaps_of_the_bins_make_the_ece(seed: int, n_cases: int) -> None:
    rng = np.random.default_rng(seed)
    target, probs = rng.integers(3, size=n_cases), rng.dirichlet(np.ones(3), size=n_cases)
    found = reliability_bins(target, probs)
    gaps = np.nan_to_num(np.abs(found.confidence - found.accuracy))
    assert ece(target, probs) == pytest.approx((gaps * found.count).sum() / n_cases)


def test_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(DataError, match="cannot be ranked"):
        roc_points(np.array([np.inf, 0]), np.array([True, False]))
    with pytest.raises(DataError, match="sums to"):
        reliability_bins(np.array([0]), np.array([[0.1, 0.1]]))
