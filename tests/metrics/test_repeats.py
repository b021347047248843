from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from busight.errors import DataError
from busight.metrics.repeats import seed_spread


def test_by_hand() -> None:
    spread = seed_spread([0.80, 0.84, 0.88], train=800, test=200)
    assert (spread.mean, spread.std) == (pytest.approx(0.84), pytest.approx(0.04))
    assert (spread.min, spread.max, spread.seeds) == (0.80, 0.88, 3)
    # t of 2 degrees of freedom at 97.5 %: 4.3027; 0.04 * sqrt(1/3 + 1/4)
    assert spread.high - spread.mean == pytest.approx(4.30265 * 0.04 * math.sqrt(7 / 12), rel=1e-5)
    assert spread.mean - spread.low == pytest.approx(spread.high - spread.mean)


def test_with_a_tiny_test_part_it_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.02, 12)
    spread = seed_spread(values.tolist(), train=10**9, test=1)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (spread.low, spread.high) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


def test_the_correction_covers_where_the_naive_interval_does_not() -> None:
    """Ten random splits of one small set: the mean over splits is no better known than the set allows."""
    rng = np.random.default_rng(1)
    hits = naive = 0
    for _ in range(300):
        right = rng.random(200) < 0.8  # a fixed rule, right on each case with probability 0.8
        scores = [right[rng.permutation(200)[:60]].mean() for _ in range(10)]
        spread = seed_spread(scores, train=140, test=60)
        hits += spread.low <= 0.8 <= spread.high
        low, high = stats.t.interval(0.95, 9, np.mean(scores), stats.sem(scores))
        naive += low <= 0.8 <= high
    assert naive / 300 < 0.8
    assert hits / 300 > 0.93


def test_undefined_seeds_are_left_out_and_counted() -> None:
    spread = seed_spread([0.5, math.nan, 0.7], train=10, test=2)
    assert (spread.seeds, spread.mean) == (2, pytest.approx(0.6))
    nothing = seed_spread([math.nan, math.nan], train=10, test=2)
    assert nothing.seeds == 0
    assert math.isnan(nothing.mean)
    one = seed_spread([0.5], train=10, test=2)
    assert (one.mean, one.seeds) == (0.5, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.std)


@pytest.mark.parametrize(
    ("values", "train", "test", "level"), [([], 1, 1, 0.9), ([1.0], 0, 1, 0.9), ([1.0], 1, 0, 0.9), ([1.0], 1, 1, 1.0)]
)
def test_what_cannot_be_is_refused(values: list[float], train: int, test: int, level: float) -> None:
    with pytest.raises(DataError, match="at least one of each"):
        seed_spread(values, train, test, level)
