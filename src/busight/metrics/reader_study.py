"""Reader studies: multi-reader multi-case analysis of AUROCs, and agreement of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.delong import auroc_covariance
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeanDifference:
    """A difference of AUROCs, the mean over readers; readers and cases are random.

    Attributes:
        difference: The difference.
        standard_error: Of the difference.
        degrees_of_freedom: Hillis's.
        p_value: Two-sided, of no difference; NaN where nothing varies.
        low: Lower end of the interval of the difference.
        high: Upper end of the interval of the difference.
    """

    difference: float
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ReaderComparison(MeanDifference):
    """Two ways of reading the same cases by the same readers: does the mean AUROC differ?

    Attributes:
        auroc: float64 (2, R): of each way and reader.
        means: float64 (2,): over the readers; the difference is the second one less the first.
        error_variance: Variance of one reader's AUROC over samples of cases.
        covariances: Of AUROCs of one reader in both ways, of two readers in one way, of two readers in both ways.
        n_groups: Independent groups of cases.
    """

    auroc: FloatArray
    means: FloatArray
    error_variance: float
    covariances: tuple[float, float, float]
    n_groups: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ReadersAgainstModel(MeanDifference):
    """The mean AUROC of readers less that of a model on the same cases.

    Attributes:
        auroc: float64 (R,), of the readers.
        model: The model's.
    """

    auroc: FloatArray
    model: float


def compare_readings(
    scores: FloatArray,
    positive: NDArray[np.bool_],
    groups: Sequence[str] | Sequence[int] | None = None,
    level: float = 0.95,
) -> ReaderComparison:
    """Compare two ways of reading by the method of Obuchowski and Rockette: readers and cases are random.

    Args:
        scores: float64 (2, R, N): what each of R readers gave each of N cases in the first and in the second way;
            higher means more likely positive.
        positive: bool (N,).
        groups: (N,), the group of each case: cases of a group are not independent. None for independent cases.
        level: Coverage of the interval, between 0 and 1.

    Raises:
        DataError: Another shape, fewer than two readers, a score that is not finite, fewer than two positive or two
            negative cases.

    Source: Obuchowski and Rockette, Communications in Statistics 1995, with the denominator degrees of freedom of
        Hillis, Statistics in Medicine 2007, and covariances by DeLong's method.
    """
    if scores.ndim != 3 or len(scores) != 2 or scores.shape[1] < 2:
        raise DataError(f"scores of shape {scores.shape}: two ways of reading by at least two readers, (2, R, N)")
    if not 0 < level < 1:
        raise DataError(f"level {level}: the coverage of an interval is above 0 and below 1")
    n_readers = scores.shape[1]
    areas, covariance, n_groups = auroc_covariance(scores.reshape(2 * n_readers, -1), positive, groups)
    auroc = areas.reshape(2, n_readers)
    cov = covariance.reshape(2, n_readers, 2, n_readers)
    same, other = np.eye(n_readers, dtype=np.bool_), ~np.eye(n_readers, dtype=np.bool_)
    within = [cov[way, :, way, :] for way in range(2)]
    error_variance = float(np.mean([block[same] for block in within]))
    one_reader = float(cov[0, :, 1, :][same].mean())
    one_way = float(np.mean([block[other] for block in within]))
    neither = float(cov[0, :, 1, :][other].mean())

    means = auroc.mean(axis=1)
    difference = float(means[1] - means[0])
    interaction = auroc - means[:, None] - auroc.mean(axis=0) + auroc.mean()
    mean_square = float((interaction**2).sum()) / (n_readers - 1)
    return ReaderComparison(
        **_tested(difference, mean_square, one_way - neither, n_readers, 2, level),
        auroc=auroc,
        means=means,
        error_variance=error_variance,
        covariances=(one_reader, one_way, neither),
        n_groups=n_groups,
    )


def _tested(
    difference: float, mean_square: float, covariance: float, n_readers: int, ways: int, level: float
) -> dict[str, float]:
    """Return the fields of a `MeanDifference` over readers.

    Args:
        difference: Its value.
        mean_square: Of what differs among readers.
        covariance: What two readers have in common of it by the cases.
        n_readers: Readers.
        ways: Ways of reading whose variances add up.
        level: Coverage of the interval.
    """
    from scipy.stats import t as student

    denominator = mean_square + n_readers * max(covariance, 0.0)
    freedom = inf if mean_square == 0 else denominator**2 / (mean_square**2 / (n_readers - 1))
    error = sqrt(ways / n_readers * denominator)
    if error**2 > 1e-15:  # less is rounding
        reach = float(student.ppf((1 + level) / 2, freedom)) * error
        p_value = float(2 * student.sf(abs(difference) / error, freedom))
    else:
        reach, p_value = (0.0, 1.0) if abs(difference) < 1e-12 else (nan, nan)
    return {
        "difference": difference,
        "standard_error": error,
        "degrees_of_freedom": freedom,
        "p_value": p_value,
        "low": max(difference - reach, -1.0),
        "high": min(difference + reach, 1.0),
    }


def compare_with_model(
    scores: FloatArray,
    model: FloatArray,
    positive: NDArray[np.bool_],
    groups: Sequence[str] | Sequence[int] | None = None,
    level: float = 0.95,
) -> ReadersAgainstModel:
    """Compare readers with a model: readers and cases are random, the model is fixed.

    Args:
        scores: float64 (R, N), of at least two readers; higher means more likely positive.
        model: float64 (N,), the model's.
        positive: bool (N,).
        groups: (N,), the group of each case, or None for independent cases.
        level: Coverage of the interval, between 0 and 1.

    Raises:
        DataError: As `compare_readings`.

    Source: Hillis, Obuchowski, Schartz and Berbaum, Statistics in Medicine 2005, eq. 23, of the differences between
        each reader's AUROC and the model's.
    """
    if scores.ndim != 2 or len(scores) < 2:
        raise DataError(f"scores of shape {scores.shape}: those of at least two readers, (R, N)")
    areas, covariance, _ = auroc_covariance(np.vstack([scores, model[None]]), positive, groups)
    n_readers = len(scores)
    apart = np.hstack([np.eye(n_readers), -np.ones((n_readers, 1))])
    differences, cov = apart @ areas, apart @ covariance @ apart.T
    between = float(cov[~np.eye(n_readers, dtype=np.bool_)].mean())
    tested = _tested(float(differences.mean()), float(differences.var(ddof=1)), between, n_readers, 1, level)
    return ReadersAgainstModel(**tested, auroc=areas[:-1], model=float(areas[-1]))


def fleiss_kappa(ratings: IntArray) -> float:
    """Return Fleiss's kappa of several readers; NaN where all use one category alone.

    Args:
        ratings: int64 (R, N), categories from 0.

    Raises:
        DataError: Fewer than two readers, or no case.

    Source: Fleiss, Psychological Bulletin 1971.
    """
    n_readers, n_cases = ratings.shape
    if n_readers < 2 or not n_cases:
        raise DataError(f"ratings of shape {ratings.shape}: at least two readers and one case, (R, N)")
    counts = np.stack([(ratings == category).sum(axis=0) for category in range(int(ratings.max()) + 1)], axis=1)
    agreed = ((counts**2).sum(axis=1) - n_readers) / (n_readers * (n_readers - 1))
    shares = counts.sum(axis=0) / ratings.size
    observed, expected = float(agreed.mean()), float((shares**2).sum())
    return nan if 1 - expected < 1e-12 else (observed - expected) / (1 - expected)
