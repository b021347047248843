"""Spread of a metric over seeds: repeats with a split and a training of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busight.errors import DataError


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """One metric over several seeds.

    Attributes:
        mean: Over the seeds; NaN where no seed defines the metric.
        std: Standard deviation over the seeds (n - 1); NaN with fewer than two.
        min: The lowest value.
        max: The highest value.
        low: Lower end of the interval of the mean; NaN with fewer than two seeds.
        high: Upper end.
        seeds: Seeds that define the metric.
    """

    mean: float
    std: float
    min: float
    max: float
    low: float
    high: float
    seeds: int


def seed_spread(values: Sequence[float], train: int, test: int, level: float = 0.95) -> SeedSpread:
    """Compute the spread of a metric over seeds, each with a random split of its own.

    The test subsets of different seeds overlap, and the training subsets even more: the seeds are not independent, and
    the naive interval, s / sqrt(n), is far too narrow. The correction adds the ratio of test to training images.

    Args:
        values: The metric of each seed; NaN where undefined, left out and counted.
        train: Images that each seed trains on, 1 or more.
        test: Images that each seed tests on, 1 or more.
        level: Coverage, above 0 and below 1.

    Raises:
        DataError: There is no seed, a subset without images, or the level is out of range.

    Source: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52 (2003), section 3: the
        corrected resampled t-test.

    Example:
        >>> spread = seed_spread([0.8, 0.9], train=700, test=100)
        >>> round(spread.mean, 2), round(spread.high - spread.mean, 3)
        (0.85, 0.72)
    """
    from scipy.stats import t

    if not len(values) or train < 1 or test < 1 or not 0 < level < 1:
        raise DataError(
            f"{len(values)} seeds, {train} training and {test} test images, level {level}: at least one of each, and a "
            "level between 0 and 1"
        )
    defined = np.array([value for value in values if value == value], dtype=np.float64)
    n = len(defined)
    if not n:
        nan = float("nan")
        return SeedSpread(nan, nan, nan, nan, nan, nan, 0)
    mean = float(defined.mean())
    std = float(defined.std(ddof=1)) if n > 1 else float("nan")
    half = float(t.ppf(0.5 + level / 2, n - 1)) * std * float(np.sqrt(1 / n + test / train)) if n > 1 else np.nan
    lowest, highest = float(defined.min()), float(defined.max())
    return SeedSpread(mean, std, lowest, highest, mean - float(half), mean + float(half), n)
