from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from busight.errors import DataError
from busight.metrics.mcnemar import mcnemar_test


def rights(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    first = [True] * both + [True] * only_first + [False] * only_second + [False] * neither
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return np.array(first), np.array(second)


def test_by_hand() -> None:
    # 1 against 5 of 6 discordant cases: 2 · (C(6,0) + C(6,1)) / 2^6 = 14/64.
    test = mcnemar_test(*rights(20, 1, 5, 3))
    assert (test.only_first, test.only_second) == (1, 5)
    assert test.p_value == pytest.approx(14 / 64)


@given(st.integers(0, 30), st.integers(0, 30))
def test_equals_twice_the_smaller_tail(only_first: int, only_second: int) -> None:
    test = mcnemar_test(*rights(5, only_first, only_second, 5))
    tail = binom.cdf(min(only_first, only_second), only_first + only_second, 0.5)
    assert test.p_value == pytest.approx(min(1, 2 * tail))


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(0, 1), (0, 2000), (900, 1100), (49_900, 50_100), (49_000, 51_000), (7, 7)]
)
def test_equals_the_binomial_test_of_scipy(only_first: int, only_second: int) -> None:
    """Up to counts whose powers of two no float holds, and beyond the smallest probability that one holds."""
    for first, second in ((only_first, only_second), (only_second, only_first)):
        expected = binomtest(first, first + second).pvalue
        assert mcnemar_test(*rights(0, first, second, 0)).p_value == pytest.approx(expected, rel=1e-9)


def test_no_discordant_case_is_no_evidence() -> None:
    assert mcnemar_test(*rights(7, 0, 0, 2)).p_value == 1


def test_other_cases_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(2,\) against \(3,\)"):
        mcnemar_test(np.ones(2, bool), np.ones(3, bool))
    with pytest.raises(DataError, match="boolean"):
        mcnemar_test(np.ones(2), np.ones(2))  # type: ignore[arg-type]
