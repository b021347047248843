"""McNemar's test of the errors of two models on the same cases."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError


@dataclass(frozen=True, slots=True)
class McNemarTest:
    """McNemar's test: cases on which exactly one of two models is right.

    Attributes:
        only_first: Cases that only the first model predicts right.
        only_second: Cases that only the second model predicts right.
        p_value: Exact, two-sided; 1 where there is no such case.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar_test(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemarTest:
    """Compare two models' errors on the same, independent cases.

    Args:
        first_right: bool (N,), whether the first model is right on each case.
        second_right: bool (N,), whether the second model is right on each case.

    Raises:
        DataError: There is no case, or the arrays differ in shape or are not boolean.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
        1947, in its exact form: the discordant cases are binomial with probability 1/2.

    Example:
        >>> right = np.array([True, True, True, True, True, True, False])
        >>> mcnemar_test(~right, right).p_value
        0.125
    """
    if first_right.ndim != 1 or first_right.size == 0 or first_right.shape != second_right.shape:
        raise DataError(
            f"{first_right.shape} against {second_right.shape} cases; hand over the same cases, at least one"
        )
    if first_right.dtype != np.bool_ or second_right.dtype != np.bool_:
        raise DataError("right or wrong is boolean; hand over e.g. predicted == target")
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    discordant = only_first + only_second
    return McNemarTest(only_first, only_second, _two_sided(min(only_first, only_second), discordant))


def _two_sided(fewer: int, n: int) -> float:
    """Return the two-sided binomial p-value of ``fewer`` of ``n`` at probability 1/2."""
    if 2 * fewer == n:
        return 1.0
    # The greatest term in whole numbers, which neither overflow nor round; each further one is a fraction of it.
    term, tail = comb(n, fewer) / (1 << n), 0.0
    for heads in range(fewer, -1, -1):
        tail += term
        term *= heads / (n - heads + 1)
        if term < tail * 1e-17:
            break
    return min(1.0, 2 * tail)
