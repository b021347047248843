from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.decision.threshold import threshold_for_sensitivity
from busight.errors import DataError


def test_nineteen_of_twenty_is_95_percent() -> None:
    score = np.append(np.linspace(0.9, 0.52, 20), [0.1, 0.53, 0.7])
    positive = np.arange(23) < 20
    found = threshold_for_sensitivity(score, positive)
    assert found.threshold == pytest.approx(0.54)
    assert (found.sensitivity, found.specificity) == (0.95, pytest.approx(2 / 3))
    assert (found.n_positive, found.n_negative, found.wanted) == (20, 3, 0.95)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(2, 40), wanted=st.floats(0.01, 1.0))
def test_no_higher_threshold_would_do(seed: int, n_cases: int, wanted: float) -> None:
    rng = np.random.default_rng(seed)
    score, positive = rng.integers(8, size=n_cases) / 8, rng.random(n_cases) < 0.5
    positive[:2] = True, False
    found = threshold_for_sensitivity(score, positive, wanted)
    called = score >= found.threshold
    assert found.sensitivity == called[positive].mean() >= wanted
    assert found.specificity == pytest.approx((~called[~positive]).mean())
    for higher in score[score > found.threshold]:
        assert (score[positive] >= higher).mean() < wanted


def test_undefined_is_nan() -> None:
    score = np.array([0.2, 0.6])
    none = threshold_for_sensitivity(score, np.array([False, False]))
    assert np.isnan([none.threshold, none.sensitivity, none.specificity]).all()
    assert (none.n_positive, none.n_negative) == (0, 2)
    only = threshold_for_sensitivity(score, np.array([True, True]))
    assert (only.threshold, only.sensitivity) == (0.2, 1.0)
    assert math.isnan(only.specificity)


@pytest.mark.parametrize("wanted", [0.0, -0.5, 1.01, math.nan])
def test_refuses_a_sensitivity_out_of_range(wanted: float) -> None:
    with pytest.raises(DataError, match="above 0 and at most 1"):
        threshold_for_sensitivity(np.array([0.1]), np.array([True]), wanted)
