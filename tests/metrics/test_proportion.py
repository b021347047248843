from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from busight.errors import DataError
from busight.metrics.proportion import wilson_interval


def test_by_hand() -> None:
    # No success in n cases: 0 to z² / (n + z²), with z = 1.96.
    assert wilson_interval(0, 10) == pytest.approx((0, 3.8416 / 13.8416), abs=1e-5)
    assert wilson_interval(10, 10) == pytest.approx((10 / 13.8416, 1), abs=1e-5)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_equals_scipy(counts: tuple[int, int], level: float) -> None:
    expected = binomtest(*counts).proportion_ci(level, method="wilson")
    assert wilson_interval(*counts, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "n", "level"), [(-1, 3, 0.9), (4, 3, 0.9), (0, 0, 0.9), (1, 3, 1.0)])
def test_what_cannot_be_is_refused(successes: int, n: int, level: float) -> None:
    with pytest.raises(DataError, match=f"{successes} of {n} cases, level {level}"):
        wilson_interval(successes, n, level)
