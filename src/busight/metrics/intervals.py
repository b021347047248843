"""Intervals of metrics from bootstrap resamples, made for few groups and for values near the ends of their range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from busight.metrics.proportion import clopper_pearson_interval, t_quantile
from busight.types import FloatArray, IntArray

MIN_GROUPS = 10
"""Independent groups below which no interval is given: a variance between fewer is itself too uncertain."""

Kind = Literal["proportion", "count", "mean", "statistic", "difference", "calibration error"]


@dataclass(frozen=True, slots=True, eq=False)
class Measurand:
    """What a metric measures, and on which cases: it decides how its interval is made.

    Attributes:
        kind: ``"proportion"``, a share of counted cases; ``"count"``, a mean number of events per case; ``"mean"``
            of values of the cases (Dice), or of the classes' proportions, with a side for each class; ``"difference"``
            of two models' metrics; ``"calibration error"``, which resampling biases upwards; ``"statistic"``, anything
            else (AUROC, kappa).
        lower: The lowest possible value.
        upper: The highest possible value; infinite where there is none.
        sides: bool (N,) each, the cases behind the metric; several where each is needed (the positive and the negative
            cases of an AUROC, the classes of a macro average). Empty for all cases.
    """

    kind: Kind = "statistic"
    lower: float = -math.inf
    upper: float = math.inf
    sides: tuple[NDArray[np.bool_], ...] = ()


def of_difference(measurand: Measurand) -> Measurand:
    """Return what the difference of a metric between two models on the same cases measures."""
    width = measurand.upper - measurand.lower
    return Measurand("difference", -width, width, measurand.sides)


@dataclass(frozen=True, slots=True)
class Independence:
    """How many independent observations a metric has.

    Attributes:
        cases: Cases behind the metric.
        groups: Groups with such a case; of several sides, of the smallest.
        sides: Kish's effective number of groups of each side, (Σ n)² / Σ n² over their sizes: what counts if all cases
            of a group are alike.
    """

    cases: int
    groups: int
    sides: tuple[float, ...]

    @property
    def effective(self) -> float:
        """The effective number of groups of the smallest side."""
        return min(self.sides)


def independence(measurand: Measurand, group_of_case: IntArray) -> Independence:
    """Count cases, groups and the effective number of groups of a metric.

    Args:
        measurand: The metric.
        group_of_case: int64 (N,), number of each case's group.

    Source: Kish, "Survey sampling", 1965, section 11.7, for the effective number.
    """
    sides = measurand.sides or (np.ones(len(group_of_case), bool),)
    smallest, effective = len(group_of_case), []
    for side in sides:
        sizes = np.bincount(group_of_case[side])
        sizes = sizes[sizes > 0].astype(np.float64)
        smallest = min(smallest, len(sizes))
        effective.append(float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0)
    return Independence(int(np.logical_or.reduce(sides).sum()), smallest, tuple(effective))


def confidence_interval(
    value: float, drawn: FloatArray, measurand: Measurand, observed: Independence, level: float
) -> tuple[float, float]:
    """Return the interval of one metric.

    - A proportion has Clopper and Pearson's exact interval on an effective sample size: the number of independent cases
      that would give the variance between resamples, with Korn and Graubard's correction for few groups. Where every
      case agrees, or fewer than `MIN_GROUPS` groups have a case of it, a group counts as one case.
    - A bounded statistic (AUROC, kappa …) has a t interval with the standard error of the resamples on the logit scale
      of its range, a positive one without bound (a distance, the log-loss) on the log scale.
    - So has a bounded mean (Dice, balanced accuracy …), after half a group was added at each end of its range, as
      Agresti and Coull add cases to a proportion: among few cases the rare one, a missed lesion, is easily absent.
    - A difference has a t interval on its own scale.
    - The calibration error has the basic bootstrap's interval, which takes off what resampling adds to it.

    Where all resamples agree, no spread can be seen: a bounded difference then has the reach of the interval of a
    proportion that is 0 in as many cases as there are groups, a statistic within its range has none. A bounded
    statistic at an end of its range has the interval of a proportion that is 0 or 1 in so many cases.

    Args:
        value: The metric on all cases.
        drawn: float64 (R,), the metric in each resample; NaN where undefined.
        measurand: The metric.
        observed: Its cases and groups.
        level: Coverage, between 0 and 1.

    Returns:
        Lower and upper end; NaN where there is no interval.

    Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", 1998; Pepe, "The statistical evaluation of medical tests", 2003, section 5.2.5,
        for the AUROC on the logit scale. Coverage: ``benchmarks/coverage.py``.
    """
    nothing = math.nan, math.nan
    defined = drawn[~np.isnan(drawn)]
    if math.isnan(value) or len(defined) < 2:
        return nothing
    # Values of one resample may differ in the last bits, by the order of their sum.
    variance = float(defined.var())
    alike = variance <= 1e-24 * max(1.0, value * value)
    if measurand.kind == "proportion":
        return _proportion(value, 0.0 if alike else variance, observed, level)
    if observed.groups < MIN_GROUPS:
        return nothing
    few = observed.groups / (observed.groups - 1)
    quantile = t_quantile((1 + level) / 2, observed.groups - 1)
    if measurand.kind == "mean" and not math.isinf(measurand.upper - measurand.lower):
        return _bounded_mean(value, variance * few, measurand, observed.sides, quantile)
    if alike:
        return _without_spread(value, measurand, observed.effective, level)
    if measurand.kind == "calibration error":
        high, low = 2 * value - np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        return max(min(float(low), value), measurand.lower), min(max(float(high), value), measurand.upper)
    if measurand.kind != "difference" and value in (measurand.lower, measurand.upper):
        return _without_spread(value, measurand, observed.effective, level)
    return _t_interval(value, quantile * math.sqrt(variance * few), measurand)


def _proportion(value: float, variance: float, observed: Independence, level: float) -> tuple[float, float]:
    groups, n = observed.groups, observed.cases
    if variance == 0 or not 0 < value < 1 or groups < MIN_GROUPS:
        effective = observed.effective
    else:
        tail = (1 + level) / 2
        few = (t_quantile(tail, n - 1) / t_quantile(tail, groups - 1)) ** 2
        effective = min(value * (1 - value) / (variance * groups / (groups - 1)), n) * few
    return clopper_pearson_interval(effective * value, effective, level)


def _bounded_mean(
    value: float, variance: float, measurand: Measurand, sides: tuple[float, ...], quantile: float
) -> tuple[float, float]:
    """Return the interval of a mean after half a group of the lowest and half a group of the highest value.

    Of an average over classes, each class gets them. They draw the mean from an end of its range, so that the interval
    without them is joined to it.
    """
    lower, upper = measurand.lower, measurand.upper
    mean = value + sum(((lower + upper) / 2 - value) / (groups + 1) for groups in sides) / len(sides)
    added = ((mean - lower) ** 2 + (upper - mean) ** 2) / 2
    shares = [added / ((groups + 1) * len(sides)) ** 2 for groups in sides]
    reach = quantile * math.sqrt(variance + sum(shares))
    low, high = _t_interval(mean, reach, measurand)
    without = (value, value)
    if variance > 0 and lower < value < upper:
        without = _t_interval(value, quantile * math.sqrt(variance), measurand)
    return min(low, without[0]), max(high, without[1])


def _t_interval(value: float, reach: float, measurand: Measurand) -> tuple[float, float]:
    """Return the ends on the scale on which the metric has no bound, brought back."""
    lower, upper = measurand.lower, measurand.upper
    if measurand.kind == "difference" or math.isinf(lower):
        return max(value - reach, lower), min(value + reach, upper)
    above = value - lower
    if math.isinf(upper):
        factor = math.exp(min(reach / above, 700.0))
        return lower + above / factor, lower + above * factor
    below, width = upper - value, upper - lower
    factor = math.exp(min(reach * width / (above * below), 700.0))
    odds = above / below
    return lower + width / (1 + factor / odds), lower + width / (1 + 1 / (odds * factor))


def _without_spread(value: float, measurand: Measurand, effective: float, level: float) -> tuple[float, float]:
    lower, upper = measurand.lower, measurand.upper
    if measurand.kind == "count" and value == 0:
        # Poisson: the mean at which no event among so many cases is as unlikely as the tail.
        return 0.0, -math.log((1 - level) / 2) / effective
    if math.isinf(upper - lower):
        return math.nan, math.nan
    unseen = clopper_pearson_interval(0.0, effective, level)[1]
    if measurand.kind == "difference":
        reach = unseen * (upper - lower) / 2
        return max(value - reach, lower), min(value + reach, upper)
    if value in (lower, upper):
        reach = unseen * (upper - lower)
        return max(value - reach, lower), min(value + reach, upper)
    return math.nan, math.nan
