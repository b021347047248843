from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from busight.errors import DataError
from busight.metrics.delong import _ranks, auroc_covariance, delong_test

# DeLong, DeLong and Clarke-Pearson 1988: albumin, total protein, K-G score, and whether surgery was of use (1), of the
# 43 patients with all three, as printed in the SAS/STAT user's guide, example "Comparing ROC curves".
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1  3.8 5.7 5 1
3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0
4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1
4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1
2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


def naive(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The covariance as the paper writes it: every pair of a positive and a negative case."""
    wins = np.array([[[0.5 * (p == n) + (p > n) for n in s[~positive]] for p in s[positive]] for s in scores])
    areas = wins.mean(axis=(1, 2))
    m, n = wins.shape[1:]
    of_positive, of_negative = wins.mean(axis=2) - areas[:, None], wins.mean(axis=1) - areas[:, None]
    return areas, of_positive @ of_positive.T / (m - 1) / m + of_negative @ of_negative.T / (n - 1) / n


def naive_clustered(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Obuchowski's variances, written group by group."""
    m, n = positive.sum(), (~positive).sum()
    names = np.unique(groups)
    total = np.zeros((len(scores), len(scores)))
    i10 = sum(positive[groups == g].any() for g in names)
    i01 = sum((~positive[groups == g]).any() for g in names)
    for g in names:
        x, y = np.zeros(len(scores)), np.zeros(len(scores))
        for k, s in enumerate(scores):
            area = roc_auc_score(positive, s)
            for case in np.flatnonzero(groups == g):
                others = s[positive != positive[case]]
                above = np.mean((s[case] > others) + 0.5 * (s[case] == others))
                if positive[case]:
                    x[k] += above - area
                else:
                    y[k] += 1 - above - area
        total += i10 / (i10 - 1) * np.outer(x, x) / m**2 + i01 / (i01 - 1) * np.outer(y, y) / n**2
        total += len(names) / (len(names) - 1) * (np.outer(x, y) + np.outer(y, x)) / (m * n)
    return total


def test_the_published_example() -> None:
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    positive = table[:, 3] == 1
    scores = np.stack([table[:, 0], 10 - table[:, 2], table[:, 1]])
    areas, covariance, n_groups = auroc_covariance(scores, positive)
    assert n_groups == 43
    assert areas == pytest.approx([0.7366, 0.7258, 0.6478], abs=5e-5)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.0927, 0.1028, 0.1000], abs=5e-5)
    # Chi-square of the two contrasts against the K-G score, as printed.
    contrast = np.array([[1, -1, 0], [0, -1, 1]])
    difference = contrast @ areas
    chi_square = difference @ np.linalg.solve(contrast @ covariance @ contrast.T, difference)
    assert chi_square == pytest.approx(2.5340, abs=5e-5)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(6, 40), coarse=st.booleans())
def test_equals_the_paper_written_out(seed: int, n: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    scores = rng.normal(size=(2, n)) + positive
    if coarse:
        scores = np.round(scores)  # ties
    areas, covariance, _ = auroc_covariance(scores, positive)
    expected, expected_covariance = naive(scores, positive)
    assert areas == pytest.approx(expected)
    assert areas == pytest.approx([roc_auc_score(positive, score) for score in scores])
    np.testing.assert_allclose(covariance, expected_covariance, atol=1e-12)
    groups = rng.integers(4, size=n)
    if min(len(set(groups[positive])), len(set(groups[~positive]))) > 1:
        _, clustered, _ = auroc_covariance(scores, positive, groups.tolist())
        np.testing.assert_allclose(clustered, naive_clustered(scores, positive, groups), atol=1e-12)


def test_groups_of_one_case_change_nothing() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(50) < 0.4
    first, second = rng.normal(size=(2, 50)) + positive
    alone = delong_test(first, second, positive)
    grouped = delong_test(first, second, positive, [f"p{i}" for i in range(50)])
    assert grouped.standard_error == pytest.approx(alone.standard_error)
    assert (alone.difference, alone.n_groups) == (alone.second - alone.first, 50)
    assert alone.low < alone.difference < alone.high


def test_copies_of_cases_make_no_evidence() -> None:
    rng = np.random.default_rng(1)
    positive = np.arange(40) % 2 == 0
    first, second = rng.normal(size=(2, 40)) + positive
    once = delong_test(first, second, positive)
    four = [np.tile(values, 4) for values in (first, second, positive)]
    assert delong_test(*four).standard_error < 0.6 * once.standard_error
    held = delong_test(*four, groups=np.tile(np.arange(40), 4).tolist())
    assert held.standard_error == pytest.approx(once.standard_error, rel=1e-6)


def test_the_error_rate_is_what_it_says() -> None:
    # Two scores equally good in truth: about 5 % of the tests reject at 5 %. With 400 draws the share is within 0.03.
    rng = np.random.default_rng(2)
    positive = np.arange(60) % 2 == 0
    rejected = 0
    for _ in range(400):
        shared = rng.normal(size=60) + positive
        first, second = shared + rng.normal(size=(2, 60))
        rejected += delong_test(first, second, positive).p_value < 0.05
    assert rejected / 400 == pytest.approx(0.05, abs=0.03)


def test_the_same_ranking_is_no_difference() -> None:
    positive = np.array([True, True, False, False])
    score = np.array([0.9, 0.3, 0.5, 0.1])
    test = delong_test(score, np.exp(score), positive)
    assert (test.difference, test.standard_error, test.p_value) == (0, 0, 1)
    assert math.isnan(test.z)


@pytest.mark.parametrize(
    ("positive", "groups", "message"),
    [
        ([True, False, False, False], None, "1 positive and 3 negative cases"),
        ([True, True, False, False], ["a"], r"groups has shape \(1,\)"),
        ([True, True, False, False], ["a", "a", "b", "c"], "all positive or all negative cases are of one group"),
    ],
)
def test_too_little_is_refused(positive: list[bool], groups: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        delong_test(np.arange(4.0), np.arange(4.0), np.array(positive), groups)


def test_ranks_equal_scipys() -> None:
    from scipy.stats import rankdata

    values = np.random.default_rng(0).integers(0, 20, 100).astype(np.float64)
    np.testing.assert_array_equal(_ranks(values), rankdata(values))


def test_a_perfect_against_a_constant_score_has_no_p_value() -> None:
    positive = np.arange(20) < 10
    perfect, constant = positive.astype(float), np.zeros(20)
    for first, second, difference in ((perfect, constant, -0.5), (constant, perfect, 0.5), (perfect, -perfect, -1.0)):
        for groups in (None, list(range(20))):
            test = delong_test(first, second, positive, groups)
            assert (test.difference, test.standard_error) == (difference, 0)
            assert np.isnan([test.p_value, test.low, test.high]).all()
    alike = delong_test(perfect, 2 * perfect + 1, positive)
    assert (alike.p_value, alike.low, alike.high) == (1, 0, 0)


def test_levels_and_lengths_that_do_not_fit_are_refused() -> None:
    positive = np.arange(20) < 10
    for level in (0.0, 1.0, 2.0, float("nan")):
        with pytest.raises(DataError, match="the coverage of an interval"):
            delong_test(np.arange(20.0), np.arange(20.0), positive, level=level)
    with pytest.raises(DataError, match="compare the same cases"):
        delong_test(np.arange(20.0), np.arange(19.0), positive)
