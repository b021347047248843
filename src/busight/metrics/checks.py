"""Checks that the arrays of one set of cases are valid and of matching shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.types import FloatArray, IntArray

# A softmax in float32 misses 1 by about 1e-7; anything further away than this is not a probability vector.
_SUM_TOLERANCE = 1e-3


def check_target(target: IntArray, n_cases: int, n_classes: int) -> None:
    """Check that there is one class index for each case.

    Raises:
        DataError: There is no case, a label is missing, or an index is outside 0..K-1.
    """
    if n_cases == 0:
        raise DataError("no cases to score; hand over at least one labelled image")
    if target.shape != (n_cases,):
        raise DataError(f"target has shape {target.shape} for {n_cases} cases; hand over one class index a case")
    if not np.issubdtype(target.dtype, np.integer):
        raise DataError(f"target is {target.dtype}; class indices are integers")
    if target.min() < 0 or target.max() >= n_classes:
        raise DataError(
            f"target holds {target.min()}..{target.max()}; with {n_classes} classes an index is 0..{n_classes - 1}, "
            "and unlabelled cases are to be left out first"
        )


def check_probs(target: IntArray, probs: FloatArray) -> None:
    """Check that every case has a class index and a probability vector.

    Raises:
        DataError: Shapes differ, a value is not within 0–1, or a row does not sum to 1.
    """
    if probs.ndim != 2 or probs.shape[1] < 2:
        raise DataError(f"probs has shape {probs.shape}; it is (cases, classes) with at least two classes")
    check_target(target, *probs.shape)
    if not np.isfinite(probs).all() or probs.min() < 0 or probs.max() > 1 + _SUM_TOLERANCE:
        raise DataError("probs holds a value outside 0–1; hand over probabilities, not logits")
    sums = probs.sum(axis=1)
    worst = float(sums[np.abs(sums - 1).argmax()])
    if abs(worst - 1) > _SUM_TOLERANCE:
        raise DataError(f"a row of probs sums to {worst:.4g}; probabilities of exclusive classes sum to 1")


def check_scores(score: FloatArray, positive: NDArray[np.bool_]) -> None:
    """Check that every case has a finite score and a yes or no.

    Raises:
        DataError: There is no case, shapes differ, a score is not finite, or ``positive`` is not boolean.
    """
    if score.ndim != 1 or score.size == 0 or positive.shape != score.shape:
        raise DataError(
            f"score has shape {score.shape}, positive {positive.shape}; both are (cases,), with at least one case"
        )
    if positive.dtype != np.bool_:
        raise DataError(f"positive is {positive.dtype}; hand over a boolean array, e.g. target == index")
    if not np.isfinite(score).all():
        raise DataError("score holds NaN or infinity; a case without a score cannot be ranked, leave it out first")


def check_per_case(name: str, values: NDArray[Any] | None, n_cases: int) -> None:
    """Check that an array that may be missing has one value for each case.

    Raises:
        DataError: The array has another shape.
    """
    if values is not None and values.shape != (n_cases,):
        raise DataError(f"{name} has shape {values.shape} for {n_cases} cases; hand over one value a case, or None")
