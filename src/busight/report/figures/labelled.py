"""The labelled cases of a record as arrays, for curves that need the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.results.run_record import RunRecord
from busight.types import FloatArray, IntArray

NOTHING: FloatArray = np.empty(0)
"""The points of a curve that is undefined: drawn as nothing, but named in the legend."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Cases with a label.

    Attributes:
        target: int64 (N,), index of the actual class.
        raw: float64 (N, K), probabilities before calibration.
        calibrated: float64 (N, K), after calibration.
    """

    target: IntArray
    raw: FloatArray
    calibrated: FloatArray


def labelled(record: RunRecord) -> Labelled | None:
    """Return the cases whose label is one of the record's classes; None where there are none."""
    place = {name: k for k, name in enumerate(record.classes)}
    cases = [case for case in record.cases if case.actual in place]
    if not cases:
        return None
    return Labelled(
        np.array([place[case.actual] for case in cases if case.actual], dtype=np.int64),
        np.array([case.raw_probs for case in cases], dtype=np.float64),
        np.array([case.calibrated_probs for case in cases], dtype=np.float64),
    )


def drawn_classes(classes: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return the classes that get a curve of their own: with two, only the last, as the other's mirrors it."""
    return list(enumerate(classes))[-1:] if len(classes) == 2 else list(enumerate(classes))
