"""Exact interval of a proportion, and the quantiles that intervals of few cases need."""

from __future__ import annotations

import math
from collections.abc import Callable

from busight.errors import DataError


def clopper_pearson_interval(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return Clopper and Pearson's exact interval of a binomial proportion: its coverage is never below the level.

    Args:
        successes: 0 to ``n``; fractions are allowed, as for an effective sample size (Korn and Graubard).
        n: Independent cases, above 0.
        level: Coverage, above 0 and below 1.

    Returns:
        Lower and upper end, 0–1.

    Raises:
        DataError: A count or the level is out of range.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
        1934; Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", 1998.

    Example:
        >>> low, high = clopper_pearson_interval(5, 5)
        >>> round(low, 3), high
        (0.478, 1.0)
    """
    if not (0 <= successes <= n and 0 < n < math.inf and 0 < level < 1):
        raise DataError(f"{successes} of {n} cases, level {level}: 0 to n of n cases, a level between 0 and 1")
    tail, failures = (1 - level) / 2, n - successes
    low = beta_quantile(tail, successes, failures + 1) if successes > 0 else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures > 0 else 1.0
    return low, high


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return a quantile of the beta distribution, to 1e-12.

    SciPy has it (``scipy.stats.beta.ppf``), but results are read in installations without SciPy.

    Args:
        probability: Above 0 and below 1.
        a: Above 0.
        b: Above 0.
    """
    return _bisect(lambda x: _beta_distribution(x, a, b) - probability, 0.0, 1.0)


def t_quantile(probability: float, degrees: float) -> float:
    """Return a quantile of Student's t distribution.

    Args:
        probability: At least 0.5 and below 1.
        degrees: Degrees of freedom, above 0.

    Example:
        >>> round(t_quantile(0.975, 9), 4)
        2.2622
    """
    if probability == 0.5:
        return 0.0
    # P(|T| > t) is the beta distribution at degrees / (degrees + t²).
    x = beta_quantile(2 * (1 - probability), degrees / 2, 0.5)
    return math.sqrt(degrees * (1 - x) / x)


def _beta_distribution(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _continued_fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function by Lentz's method.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22.
    """
    tiny = 1e-300
    front, back = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = back
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            back = 1 / (1 + term * back or tiny)
            front = 1 + term / front or tiny
            value *= back * front
        if abs(back * front - 1) < 1e-15:
            break
    return value


def _bisect(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a rising function crosses 0."""
    while True:
        middle = (low + high) / 2
        if middle in (low, high) or high - low < 1e-13 * high:
            return middle
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
