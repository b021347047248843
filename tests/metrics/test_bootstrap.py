from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.errors import DataError
from busight.metrics import bootstrap as intervals
from busight.metrics.bootstrap import Statistic, clustered_bootstrap, draw_group_counts, repeated_bootstrap
from busight.metrics.ratio import weighted_mean
from busight.types import FloatArray


def mean_of(values: FloatArray) -> Statistic:
    return lambda weights: weighted_mean(values, weights)[:, None]


def test_every_draw_has_as_many_groups_as_there_are() -> None:
    counts = draw_group_counts(7, 5000, np.random.default_rng(1))
    assert (counts.sum(1) == 7).all()
    assert counts.mean(0) == pytest.approx(np.ones(7), abs=0.06)
    # A group is left out with probability (6/7)^7 = 0.340.
    assert (counts == 0).mean() == pytest.approx(0.340, abs=0.01)


def test_two_groups_by_hand() -> None:
    # Drawn are AA, AB, BA, BB: the mean is 0, 0.75 (three cases of B), 0.75 or 1.
    values = np.array([0.0, 1.0, 1.0, 1.0])
    found = clustered_bootstrap(mean_of(values), ["a", "b", "b", "b"], np.random.default_rng(0), level=0.4)
    assert (found.value[0], found.low[0], found.high[0]) == (0.75, 0.75, 0.75)
    wide = clustered_bootstrap(mean_of(values), ["a", "b", "b", "b"], np.random.default_rng(0), level=0.9)
    assert (wide.low[0], wide.high[0], wide.n_groups) == (0.0, 1.0, 2)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n_groups=st.integers(2, 12))
def test_equals_resampling_by_copying(seed: int, n_groups: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(n_groups, size=30)
    groups[:n_groups] = np.arange(n_groups)
    values = rng.normal(size=30)
    found = clustered_bootstrap(mean_of(values), groups.tolist(), np.random.default_rng(seed), resamples=40)
    copied = [
        np.concatenate([np.repeat(values[groups == group], int(times)) for group, times in enumerate(counts)]).mean()
        for counts in draw_group_counts(n_groups, 40, np.random.default_rng(seed))
    ]
    np.testing.assert_allclose([found.low[0], found.high[0]], np.quantile(copied, [0.025, 0.975]))


def test_the_order_of_cases_and_the_size_of_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(12.0)
    groups = [f"patient {index % 5}" for index in range(12)]

    def bounds(order: FloatArray) -> tuple[float, float]:
        statistic = mean_of(values[order.astype(int)])
        in_order = [groups[int(index)] for index in order]
        found = clustered_bootstrap(statistic, in_order, np.random.default_rng(3), resamples=101)
        return float(found.low[0]), float(found.high[0])

    expected = bounds(np.arange(12.0))
    assert bounds(np.arange(12.0)[::-1]) == pytest.approx(expected)
    monkeypatch.setattr(intervals, "_PAIRS_AT_ONCE", 90)
    assert bounds(np.arange(12.0)) == pytest.approx(expected)


def test_undefined_resamples_are_counted_and_left_out() -> None:
    # Only group "a" has a value: it is missing from (2/3)^3 = 0.296 of the resamples.
    values = np.array([5.0, np.nan, np.nan])
    found = clustered_bootstrap(mean_of(values), ["a", "b", "c"], np.random.default_rng(2))
    assert (found.value[0], found.low[0], found.high[0]) == (5, 5, 5)
    assert found.undefined[0] == pytest.approx(0.296 * 2000, abs=80)


def test_a_figure_never_defined_has_no_interval() -> None:
    found = clustered_bootstrap(mean_of(np.full(3, np.nan)), [1, 2, 3], np.random.default_rng(0), resamples=50)
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()
    assert found.undefined.tolist() == [50]


@pytest.mark.parametrize("groups", [["one"], ["one", "one", "one"]])
def test_one_group_has_a_value_but_no_interval(groups: list[str]) -> None:
    found = clustered_bootstrap(mean_of(np.ones(len(groups))), groups, np.random.default_rng(0), resamples=50)
    assert found.value.tolist() == [1.0]
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert (found.undefined.tolist(), found.n_groups) == ([50], 1)


def test_covers_the_truth_where_cases_of_a_patient_are_alike() -> None:
    # 50 patients of 6 images; images of one patient are right or wrong together, more often than not.
    rng = np.random.default_rng(7)
    patients = np.repeat(np.arange(50), 6).tolist()
    covered_by_patient, covered_by_image = [], []
    for _ in range(300):
        right = (rng.random(300) < np.repeat(rng.beta(1.4, 0.6, size=50), 6)).astype(float)
        by_patient = clustered_bootstrap(mean_of(right), patients, rng, resamples=200)
        by_image = clustered_bootstrap(mean_of(right), list(range(300)), rng, resamples=200)
        covered_by_patient.append(by_patient.low[0] <= 0.7 <= by_patient.high[0])
        covered_by_image.append(by_image.low[0] <= 0.7 <= by_image.high[0])
    assert 0.90 <= np.mean(covered_by_patient) <= 0.98
    assert np.mean(covered_by_image) < 0.85


def test_refuses_a_bootstrap_of_nothing() -> None:
    statistic = mean_of(np.ones(2))
    with pytest.raises(DataError, match="no cases to resample"):
        clustered_bootstrap(statistic, [], np.random.default_rng(0))
    with pytest.raises(DataError, match="0 resamples"):
        clustered_bootstrap(statistic, [1, 2], np.random.default_rng(0), resamples=0)
    with pytest.raises(DataError, match=r"level 95"):
        clustered_bootstrap(statistic, [1, 2], np.random.default_rng(0), level=95)


def test_repeats_are_averaged_and_their_luck_is_in_the_interval() -> None:
    rng = np.random.default_rng(0)
    groups = [str(i) for i in range(200)]
    answers = rng.random(200)
    lucky, unlucky = answers + 1.0, answers - 1.0
    alike = repeated_bootstrap([mean_of(answers), mean_of(answers)], groups, np.random.default_rng(1))
    alone = clustered_bootstrap(mean_of(answers), groups, np.random.default_rng(1))
    assert alike.value == pytest.approx(alone.value)
    assert alike.high - alike.low == pytest.approx(alone.high - alone.low, rel=0.1)
    spread = repeated_bootstrap([mean_of(lucky), mean_of(unlucky)], groups, np.random.default_rng(1))
    # Both, lucky twice, unlucky twice: a quarter of the resamples lies near +1, a quarter near -1.
    assert spread.value == pytest.approx(alone.value)
    assert spread.low[0] == pytest.approx(alone.value[0] - 1, abs=0.1)
    assert spread.high[0] == pytest.approx(alone.value[0] + 1, abs=0.1)


def test_without_a_repeat_there_is_nothing() -> None:
    with pytest.raises(DataError, match="at least one repeat"):
        repeated_bootstrap([], ["a", "b"], np.random.default_rng(0))
