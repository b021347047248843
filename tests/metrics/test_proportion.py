from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest, t

from busight.errors import DataError
from busight.metrics.proportion import beta_quantile, clopper_pearson_interval, t_quantile


def test_by_hand() -> None:
    # No success in n cases: the upper end solves (1 - p)^n = 0.025.
    assert clopper_pearson_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1), abs=1e-12)
    assert clopper_pearson_interval(5, 5) == pytest.approx((0.025**0.2, 1), abs=1e-12)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_equals_scipy(counts: tuple[int, int], level: float) -> None:
    expected = binomtest(*counts).proportion_ci(level, method="exact")
    assert clopper_pearson_interval(*counts, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "n", "level"), [(-1, 3, 0.9), (4, 3, 0.9), (0, 0, 0.9), (1, 3, 1.0)])
def test_what_cannot_be_is_refused(successes: int, n: int, level: float) -> None:
    with pytest.raises(DataError, match=f"{successes} of {n} cases, level {level}"):
        clopper_pearson_interval(successes, n, level)


@given(st.floats(0.001, 0.999), st.floats(0.05, 5000), st.floats(0.05, 5000))
def test_beta_quantiles_equal_scipy(probability: float, a: float, b: float) -> None:
    assert beta_quantile(probability, a, b) == pytest.approx(beta.ppf(probability, a, b), abs=1e-10)


@given(st.floats(0.501, 0.9995), st.floats(1, 10_000))
def test_t_quantiles_equal_scipy(probability: float, degrees: float) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(t.ppf(probability, degrees), rel=1e-5, abs=1e-6)
