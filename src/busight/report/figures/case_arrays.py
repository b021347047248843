"""The cases of a record as arrays, for curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.results.records import ResultRecord
from busight.types import FloatArray, IntArray

NO_POINTS: FloatArray = np.empty(0)
"""The points of an undefined curve, which is in the legend only."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseArrays:
    """Targets and probabilities of the cases.

    Attributes:
        target: int64 (N,), class 0..K-1.
        raw: float64 (N, K), probabilities before calibration.
        calibrated: float64 (N, K), after calibration.
    """

    target: IntArray
    raw: FloatArray
    calibrated: FloatArray


def case_arrays(record: ResultRecord) -> CaseArrays:
    """Return targets and probabilities of a record's cases."""
    return CaseArrays(
        np.array([record.classes.index(case.target) for case in record.cases], dtype=np.int64),
        np.array([case.raw_probs for case in record.cases], dtype=np.float64),
        np.array([case.calibrated_probs for case in record.cases], dtype=np.float64),
    )


def classes_with_curve(classes: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return the classes that get a curve of their own: with two, only the last, as the other's mirrors it."""
    return list(enumerate(classes))[-1:] if len(classes) == 2 else list(enumerate(classes))
