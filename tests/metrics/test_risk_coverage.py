from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.metrics.risk_coverage import risk_coverage


def test_a_case_worked_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.45, 0.55]])
    curve = risk_coverage(np.array([0, 0, 0, 1]), probs)
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert curve.at(0.6) == (0.75, pytest.approx(1 / 3))


def test_equal_confidence_is_answered_together() -> None:
    curve = risk_coverage(np.array([0, 1, 0]), np.array([[0.8, 0.2]] * 3))
    assert (curve.coverage.tolist(), curve.risk.tolist()) == ([1.0], [pytest.approx(1 / 3)])


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_all_answered_is_the_error_rate(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(3), n).round(2)
    probs /= probs.sum(1, keepdims=True)
    target = rng.integers(0, 3, n)
    curve = risk_coverage(target, probs)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx((probs.argmax(1) != target).mean())
    assert (np.diff(curve.coverage) > 0).all()
    assert (np.diff(curve.confidence) < 0).all()
