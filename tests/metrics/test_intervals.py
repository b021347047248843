"""Intervals: by hand, within bounds, and how often they hold the true value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.intervals import Independence, Kind, Measurand, confidence_interval, independence, of_difference
from busight.metrics.ranking import auroc
from busight.metrics.ratio import weighted_mean
from busight.types import FloatArray, IntArray

SHARE = Measurand("proportion", 0.0, 1.0)
AREA = Measurand("statistic", 0.0, 1.0)
TWENTY = Independence(20, 20, (20.0,))


def interval_of(right: FloatArray, groups: IntArray, rng: np.random.Generator) -> tuple[float, float]:
    found = clustered_bootstrap(
        lambda weights: weighted_mean(right, weights)[:, None], groups.tolist(), rng, 300, measurands=[SHARE]
    )
    return float(found.low[0]), float(found.high[0])


@pytest.mark.parametrize(("right", "n"), [(10, 10), (0, 12), (31, 31), (200, 200)])
def test_where_all_agree_a_proportion_has_the_exact_interval(right: int, n: int) -> None:
    values = np.arange(n) < right
    expected = binomtest(right, n).proportion_ci()
    low, high = interval_of(values.astype(float), np.arange(n), np.random.default_rng(0))
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_five_of_five_among_others_is_no_certainty() -> None:
    # Twenty images, of which five are malignant, all found.
    malignant = np.arange(20) < 5
    found = clustered_bootstrap(
        lambda weights: weighted_mean(np.where(malignant, 1.0, np.nan), weights)[:, None],
        list(range(20)),
        np.random.default_rng(0),
        measurands=[Measurand("proportion", 0.0, 1.0, (malignant,))],
    )
    assert (found.low[0], found.high[0]) == pytest.approx((0.478, 1.0), abs=0.001)
    assert (found.observed[0].cases, found.observed[0].groups) == (5, 5)


def test_images_of_one_patient_that_agree_count_once() -> None:
    alike = np.repeat(np.arange(12), 6)
    low, _ = interval_of(np.ones(72), alike, np.random.default_rng(0))
    assert low == pytest.approx(binomtest(12, 12).proportion_ci().low)


def test_effective_groups_by_hand() -> None:
    # Sizes 3, 1, 1, 1 on one side: 36 / 12 = 3; on the other two single cases.
    group = np.array([0, 0, 0, 1, 2, 3, 4, 5])
    side = np.arange(8) < 6
    assert independence(Measurand(sides=(side,)), group) == Independence(6, 4, (3.0,))
    assert independence(Measurand(sides=(side, ~side)), group) == Independence(8, 2, (3.0, 2.0))


def test_a_logit_interval_by_hand() -> None:
    drawn = np.array([0.85, 0.95] * 50)  # standard deviation 0.05
    low, high = confidence_interval(0.9, drawn, AREA, TWENTY, 0.95)
    reach = 2.0930 * 0.05 * math.sqrt(20 / 19) / (0.9 * 0.1)
    ends = [1 / (1 + math.exp(-(math.log(9) + sign * reach))) for sign in (-1, 1)]
    assert (low, high) == pytest.approx(ends, abs=1e-4)


def test_a_distance_has_its_interval_on_the_log_scale() -> None:
    distance = Measurand("mean", 0.0, math.inf)
    low, high = confidence_interval(4.0, np.array([3.0, 5.0] * 50), distance, TWENTY, 0.95)
    assert low * high == pytest.approx(16)
    assert high / 4 == pytest.approx(math.exp(2.0930 * math.sqrt(20 / 19) / 4), rel=1e-4)


def test_a_perfect_area_is_no_certainty_and_a_constant_score_has_no_interval() -> None:
    low, high = confidence_interval(1.0, np.ones(100), AREA, TWENTY, 0.95)
    assert (low, high) == pytest.approx((0.025 ** (1 / 20), 1.0))
    assert np.isnan(confidence_interval(0.5, np.full(100, 0.5), AREA, TWENTY, 0.95)).all()


def test_no_event_in_twenty_images_leaves_a_rate() -> None:
    events = Measurand("count", 0.0, math.inf)
    assert confidence_interval(0.0, np.zeros(50), events, TWENTY, 0.95) == pytest.approx((0, -math.log(0.025) / 20))


def test_two_perfect_models_may_still_differ() -> None:
    difference = of_difference(AREA)
    low, high = confidence_interval(0.0, np.zeros(50), difference, TWENTY, 0.95)
    assert (low, high) == pytest.approx((0.025 ** (1 / 20) - 1, 1 - 0.025 ** (1 / 20)))


@settings(deadline=None)
@given(
    kind=st.sampled_from(["proportion", "mean", "statistic", "difference", "calibration error"]),
    values=st.lists(st.floats(0, 1), min_size=2, max_size=30),
    groups=st.integers(1, 40),
    level=st.floats(0.5, 0.999),
    end=st.sampled_from([None, 0.0, 1.0]),
)
def test_an_interval_holds_its_value_within_bounds(
    kind: Kind, values: list[float], groups: int, level: float, end: float | None
) -> None:
    drawn = np.array(values)
    value = float(drawn.mean()) if end is None else end
    observed = Independence(2 * groups, groups, (0.8 * groups,))
    low, high = confidence_interval(value, drawn, Measurand(kind, 0.0, 1.0), observed, level)
    assert math.isnan(low) == math.isnan(high)
    if kind != "proportion" and groups < 10:
        assert math.isnan(low)
    if not math.isnan(low):
        assert -1e-12 <= low <= value + 1e-12
        assert value - 1e-12 <= high <= 1 + 1e-12


@pytest.mark.parametrize(("n", "truth"), [(10, 0.95), (20, 0.95), (31, 0.95)])
def test_few_positives_cover_the_true_sensitivity(n: int, truth: float) -> None:
    rng = np.random.default_rng(n)
    ends = np.array([interval_of((rng.random(n) < truth).astype(float), np.arange(n), rng) for _ in range(300)])
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    assert held.mean() >= 0.93


def test_patients_with_many_images_cover_the_true_area() -> None:
    rng = np.random.default_rng(2)
    truth, held = 0.9214, []  # two standard deviations apart, each of variance 1: Φ(√2)
    for _ in range(200):
        group = np.repeat(np.arange(20), rng.integers(1, 6, 20))
        positive = group < 10
        score = 2.0 * positive + np.sqrt(0.5) * (rng.normal(size=20)[group] + rng.normal(size=len(group)))
        area = Measurand("statistic", 0.0, 1.0, (positive, ~positive))
        found = clustered_bootstrap(
            lambda weights, of=(score, positive): auroc(*of, weights)[:, None],
            group.tolist(),
            rng,
            200,
            measurands=[area],
        )
        held.append(found.low[0] <= truth <= found.high[0])
    assert np.mean(held) >= 0.93
