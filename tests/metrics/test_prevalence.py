from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.errors import DataError
from busight.metrics.prevalence import at_prevalence, predictive_values

INSIDE = st.floats(0.001, 0.999)


def test_a_two_by_two_table_worked_by_hand() -> None:
    """1,000 women, 100 with cancer: 90 found and 10 missed; 720 of 900 cleared, 180 called."""
    assert predictive_values(0.9, 0.8, 0.1) == (pytest.approx(90 / 270), pytest.approx(720 / 730))


def test_nobody_called_has_no_predictive_value() -> None:
    ppv, npv = predictive_values(0.0, 1.0, 0.1)
    assert np.isnan(ppv)
    assert npv == pytest.approx(0.9)


@given(INSIDE, INSIDE, st.integers(0, 1000))
def test_there_and_back_is_the_same(measured: float, wanted: float, seed: int) -> None:
    probs = np.random.default_rng(seed).dirichlet(np.ones(3), 5)
    moved = at_prevalence(probs, 2, measured, wanted)
    np.testing.assert_allclose(moved.sum(1), 1)
    np.testing.assert_allclose(at_prevalence(moved, 2, wanted, measured), probs, atol=1e-9)
    np.testing.assert_allclose(moved[:, 0] * probs[:, 1], moved[:, 1] * probs[:, 0], atol=1e-9)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, float("nan")])
def test_a_prevalence_of_0_or_1_is_refused(prevalence: float) -> None:
    with pytest.raises(DataError, match="above 0 and below 1"):
        predictive_values(0.9, 0.9, prevalence)
    with pytest.raises(DataError, match="above 0 and below 1"):
        at_prevalence(np.array([0.5, 0.5]), 1, 0.5, prevalence)
