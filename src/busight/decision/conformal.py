"""Conformal prediction sets with class-conditional coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from busight.errors import DataError
from busight.metrics.checks import check_probs
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ConformalSets:
    """Fitted class-conditional conformal prediction sets.

    Attributes:
        level: Guaranteed coverage, 0–1, of each class.
        thresholds: For each class the calibrated probability from which it is in the set; 0, always, where the class
            has too few validation cases for this coverage.
        cases: Calibration cases of each class.
        source: What they were fitted on.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    level: Annotated[float, Field(gt=0, lt=1)]
    thresholds: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    cases: tuple[Annotated[int, Field(ge=0)], ...]
    source: str = ""

    def sets(self, probs: FloatArray) -> NDArray[np.bool_]:
        """Return which classes are in each set, bool (N, K), for calibrated probabilities, float64 (N, K).

        A set may be empty: the image is then unlike the validation cases of every class.
        """
        # NaN, which compares as False, must not exclude a class.
        inside: NDArray[np.bool_] = ~(probs < np.array(self.thresholds))
        return inside


def limit_rank(n_cases: int, level: float) -> int:
    """Return which of a class's cases, from the lowest probability, 1, sets its limit; 0 where they are too few."""
    return math.floor((n_cases + 1) * (1 - level) + 1e-9)


def fit_conformal(probs: FloatArray, target: IntArray, level: float = 0.9) -> ConformalSets:
    """Fit class-conditional split-conformal sets on validation cases.

    With n cases of a class, the class is in the set where its probability is not below the k-th lowest among the
    class's own cases, k = ⌊(n + 1)(1 − level)⌋. The set of a new case, exchangeable with these cases, then contains its
    class with a probability of at least ``level``, for any network, provided that the probabilities were not calibrated
    on the same cases. For other devices there is no guarantee.

    Args:
        probs: float64 (N, K), calibrated, of validation cases.
        target: int64 (N,), actual class 0..K-1.
        level: Guaranteed coverage, above 0 and below 1.

    Raises:
        DataError: The level is out of range, or the shapes of the arrays do not match.

    Source: Vovk, "Conditional validity of inductive conformal predictors", ACML 2012, section 3 (label-conditional);
        score 1 − p of Sadinle et al., "Least ambiguous set-valued classifiers with bounded error levels", 2019.

    Example:
        >>> probs = np.array([[p, 1 - p] for p in (0.9, 0.8, 0.7, 0.3, 0.2)])
        >>> fit_conformal(probs, np.array([0, 0, 0, 1, 1]), level=0.5).thresholds
        (0.8, 0.7)
    """
    if not 0 < level < 1:
        raise DataError(f"level {level}: the coverage of prediction sets is above 0 and below 1, e.g. 0.9")
    check_probs(target, probs)
    counts = np.bincount(target, minlength=probs.shape[1])
    least = []
    for k, count in enumerate(counts.tolist()):
        rank = limit_rank(count, level)
        own = np.sort(probs[target == k, k])
        least.append(float(own[rank - 1]) if rank >= 1 else 0.0)
    return ConformalSets(level, tuple(least), tuple(map(int, counts)))
