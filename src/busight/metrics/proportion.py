"""Interval of a proportion."""

from __future__ import annotations

import math
from statistics import NormalDist

from busight.errors import DataError


def wilson_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a binomial proportion, valid near 0 and 1 and for few cases too.

    Args:
        successes: 0 to ``n``.
        n: Independent cases, 1 or more.
        level: Coverage, above 0 and below 1.

    Returns:
        Lower and upper end, 0–1.

    Raises:
        DataError: A count or the level is out of range.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927. SciPy has the same
        (`binomtest(...).proportion_ci`), but the extra ``report`` does not bring it.

    Example:
        >>> low, high = wilson_interval(9, 10)
        >>> round(low, 3), round(high, 3)
        (0.596, 0.982)
    """
    if not (0 <= successes <= n and n >= 1 and 0 < level < 1):
        raise DataError(f"{successes} of {n} cases, level {level}: 0 to n of at least 1 case, a level between 0 and 1")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - reach), min(1.0, centre + reach)
