"""The calibration methods by name, and the choice among them on grouped folds of the validation cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import Field

from busight.decision.calibration.beta import Beta
from busight.decision.calibration.identity import Identity
from busight.decision.calibration.isotonic import Isotonic
from busight.decision.calibration.temperature import Temperature, check_can_be_fitted
from busight.decision.calibration.vector import VectorScaling
from busight.errors import DataError
from busight.metrics.calibration_error import log_losses
from busight.types import FloatArray, IntArray

CalibrationMethod = Literal["none", "temperature", "vector", "isotonic", "beta"]

AnyCalibrator = Annotated[Identity | Temperature | VectorScaling | Isotonic | Beta, Field(discriminator="method")]


class _CalibratorClass(Protocol):
    def fit(self, logits: FloatArray, target: IntArray) -> AnyCalibrator: ...


CALIBRATORS: dict[CalibrationMethod, _CalibratorClass] = {
    "none": Identity,
    "temperature": Temperature,
    "vector": VectorScaling,
    "beta": Beta,
    "isotonic": Isotonic,
}
"""From a method's name to its class, the fewest parameters first."""


def fit_calibrator(method: CalibrationMethod, logits: FloatArray, target: IntArray) -> AnyCalibrator:
    """Fit a calibrator on cases that took no part in training and will take none in testing.

    Args:
        method: The method's name.
        logits: float64 (N, K).
        target: int64 (N,), actual class 0..K-1.

    Raises:
        DataError: The cases cannot determine a calibration; see
            `busight.decision.calibration.temperature.check_can_be_fitted`.
    """
    return CALIBRATORS[method].fit(np.asarray(logits, np.float64), target)


def choose_calibrator(
    logits: FloatArray, target: IntArray, groups: Sequence[str], methods: Sequence[CalibrationMethod], folds: int = 5
) -> AnyCalibrator:
    """Choose the method with the lowest log-loss on grouped folds of the validation cases, and fit it on all of them.

    Within one standard error of the lowest, the first method in ``methods`` is taken: one with fewer parameters where
    the cases do not discriminate between them.

    Args:
        logits: float64 (N, K).
        target: int64 (N,).
        groups: (N,), the group of each case; a group stays in one fold.
        methods: The candidates, the fewest parameters first.
        folds: Folds; fewer where there are fewer groups.

    Raises:
        DataError: The cases cannot determine any calibration.
    """
    logits = np.asarray(logits, np.float64)
    check_can_be_fitted(logits, target)
    if not (parts := grouped_folds(target, groups, folds)):
        return fit_calibrator(methods[0], logits, target)
    losses: dict[CalibrationMethod, FloatArray] = {}
    for method in methods:
        try:
            losses[method] = np.concatenate([_held_out(method, logits, target, fit, held) for fit, held in parts])
        except DataError:
            continue  # a method that cannot be fitted on a fold needs more cases
    if not losses:
        return fit_calibrator(methods[0], logits, target)
    best = min(losses, key=lambda method: float(losses[method].mean()))
    worse = {method: loss - losses[best] for method, loss in losses.items()}
    chosen = next(name for name, more in worse.items() if more.mean() <= more.std(ddof=1) / np.sqrt(len(more)))
    return fit_calibrator(chosen, logits, target)


def grouped_folds(target: IntArray, groups: Sequence[str], folds: int = 5) -> list[tuple[IntArray, IntArray]]:
    """Return stratified folds that keep groups together, as indices of the cases to fit on and of those held out.

    Args:
        target: int64 (N,).
        groups: (N,), the group of each case.
        folds: Folds; fewer where there are fewer groups, or fewer cases of a class. None where there would be one.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    folds = min(folds, len(set(groups)), int(np.bincount(target).min()))
    if folds < 2:
        return []
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    return list(cut.split(target, target, list(groups)))


def _held_out(
    method: CalibrationMethod, logits: FloatArray, target: IntArray, fit: IntArray, held: IntArray
) -> FloatArray:
    """Return the log-loss of each case that the calibration was not fitted on."""
    probs = fit_calibrator(method, logits[fit], target[fit]).apply(logits[held])
    return log_losses(target[held], probs)
