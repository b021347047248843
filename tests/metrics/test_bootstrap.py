from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from busight.errors import DataError
from busight.metrics import bootstrap as intervals
from busight.metrics.bootstrap import Statistic, clustered_bootstrap, draw_group_counts, repeated_bootstrap
from busight.metrics.intervals import Measurand
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


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n_groups=st.integers(10, 15))
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
    error = np.std(copied) * np.sqrt(n_groups / (n_groups - 1))
    reach = t.ppf(0.975, n_groups - 1) * error
    np.testing.assert_allclose([found.low[0], found.high[0]], [values.mean() - reach, values.mean() + reach])


def test_the_order_of_cases_and_the_size_of_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(36.0)
    groups = [f"patient {index % 15}" for index in range(36)]

    def bounds(order: FloatArray) -> tuple[float, float]:
        statistic = mean_of(values[order.astype(int)])
        in_order = [groups[int(index)] for index in order]
        found = clustered_bootstrap(statistic, in_order, np.random.default_rng(3), resamples=101)
        return float(found.low[0]), float(found.high[0])

    expected = bounds(np.arange(36.0))
    assert bounds(np.arange(36.0)[::-1]) == pytest.approx(expected)
    monkeypatch.setattr(intervals, "_PAIRS_AT_ONCE", 270)
    assert bounds(np.arange(36.0)) == pytest.approx(expected)


def test_undefined_resamples_are_counted_and_left_out() -> None:
    # Only group 0 has a value: it is missing from (11/12)^12 = 0.352 of the resamples.
    values = np.array([5.0] + [np.nan] * 11)
    found = clustered_bootstrap(mean_of(values), list(range(12)), np.random.default_rng(2))
    assert found.value[0] == 5
    assert np.isnan([found.low[0], found.high[0]]).all()  # one group says nothing about another
    assert found.undefined[0] == pytest.approx(0.352 * 2000, abs=80)


def test_a_metric_never_defined_has_no_interval() -> None:
    values = np.full(12, np.nan)
    found = clustered_bootstrap(mean_of(values), list(range(12)), np.random.default_rng(0), resamples=50)
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()
    assert found.undefined.tolist() == [50]


@pytest.mark.parametrize("n_groups", [1, 9])
def test_few_groups_have_a_value_but_no_interval(n_groups: int) -> None:
    values, groups = np.arange(27.0), [index % n_groups for index in range(27)]
    found = clustered_bootstrap(mean_of(values), groups, np.random.default_rng(0), resamples=50)
    assert found.value.tolist() == [13.0]
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert (found.n_groups, found.observed[0].groups, found.observed[0].cases) == (n_groups, n_groups, 27)


def test_covers_the_truth_where_cases_of_a_patient_are_alike() -> None:
    # 50 patients of 6 images; images of one patient are right or wrong together, more often than not.
    rng = np.random.default_rng(7)
    patients = np.repeat(np.arange(50), 6).tolist()
    covered_by_patient, covered_by_image = [], []
    for _ in range(300):
        right = (rng.random(300) < np.repeat(rng.beta(1.4, 0.6, size=50), 6)).astype(float)
        share = [Measurand("proportion", 0.0, 1.0)]
        by_patient = clustered_bootstrap(mean_of(right), patients, rng, resamples=200, measurands=share)
        by_image = clustered_bootstrap(mean_of(right), list(range(300)), rng, resamples=200, measurands=share)
        covered_by_patient.append(by_patient.low[0] <= 0.7 <= by_patient.high[0])
        covered_by_image.append(by_image.low[0] <= 0.7 <= by_image.high[0])
    assert 0.93 <= np.mean(covered_by_patient) <= 0.99
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
    # Both, lucky twice, unlucky twice: a quarter of the resamples lies near +1, a quarter near -1; the standard
    # deviation of that is the square root of a half.
    assert spread.value == pytest.approx(alone.value)
    reach = t.ppf(0.975, 199) * np.sqrt(0.5)
    assert spread.low[0] == pytest.approx(alone.value[0] - reach, abs=0.1)
    assert spread.high[0] == pytest.approx(alone.value[0] + reach, abs=0.1)


def test_without_a_repeat_there_is_nothing() -> None:
    with pytest.raises(DataError, match="at least one repeat"):
        repeated_bootstrap([], ["a", "b"], np.random.default_rng(0))
