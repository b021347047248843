from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.ranking import auroc, average_precision


def test_by_hand() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6])
    positive = np.array([True, False, True, False])
    assert auroc(score, positive) == 0.75  # three of the four pairs stand right
    assert average_precision(score, positive) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_a_constant_score_ranks_nothing() -> None:
    positive = np.array([True, False, False, False])
    assert auroc(np.full(4, 0.3), positive) == 0.5
    assert average_precision(np.full(4, 0.3), positive) == 0.25


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(2, 80), levels=st.integers(1, 40))
def test_equals_scikit_learn_with_ties_and_weights(seed: int, n_cases: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(levels, size=n_cases) / levels
    positive = rng.random(n_cases) < 0.4
    positive[:2] = True, False
    weights = rng.integers(0, 4, size=(3, n_cases)).astype(float)
    weights[:, :2] += 1
    for ours, reference in ((auroc, metrics.roc_auc_score), (average_precision, metrics.average_precision_score)):
        np.testing.assert_allclose(ours(score, positive), reference(positive, score))
        expected = [reference(positive, score, sample_weight=row) for row in weights]
        np.testing.assert_allclose(ours(score, positive, weights), expected)


def test_without_positives_or_negatives_undefined() -> None:
    score = np.array([0.2, 0.7])
    assert np.isnan(auroc(score, np.array([False, False])))
    assert np.isnan(auroc(score, np.array([True, True])))
    assert np.isnan(average_precision(score, np.array([False, False])))
    assert average_precision(score, np.array([True, True])) == 1.0
    assert np.isnan(auroc(score, np.array([True, False]), np.array([0.0, 2.0])))


@pytest.mark.parametrize(
    ("score", "positive", "message"),
    [
        ([], [], "at least one case"),
        ([0.1, 0.2], [True], "both are"),
        ([0.1, np.nan], [True, False], "cannot be ranked"),
        ([0.1, 0.2], [1, 0], "hand over a boolean array"),
    ],
)
def test_refuses_what_cannot_be_ranked(score: list[float], positive: list[bool], message: str) -> None:
    with pytest.raises(DataError, match=message):
        auroc(np.array(score), np.array(positive))
