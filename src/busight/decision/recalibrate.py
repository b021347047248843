"""Recalibration of a model on a few cases of the place where it is used; its networks stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from busight.data.labels import LabelSchema
from busight.decision.calibration.catalogue import AnyCalibrator
from busight.decision.calibration.identity import Identity
from busight.decision.calibration.temperature import MIN_CASES, Temperature
from busight.decision.calibration.vector import VectorScaling
from busight.decision.conformal import ConformalSets, limit_rank
from busight.decision.decision import Calibration, Decision
from busight.decision.fit import CalibrationCases, prevalence_of, with_calibration
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.metrics.activations import clip_probs, log_softmax, softmax
from busight.types import FloatArray, IntArray

PRIOR_PRECISION = 20.0
"""Precision of the normal prior of the logarithm of the change of temperature, about 0.

On 50 cases of a hospital left out the calibration error was 0.06 with it and 0.11 without
(docs/log/2026-11-ready-model.md).
"""


def recalibrate_decision(decision: Decision, cases: CalibrationCases, labels: LabelSchema) -> Decision:
    """Return a decision with temperature, threshold and prediction sets fitted on new cases.

    The temperature is drawn towards the model's own: few cases change it little. Wanted sensitivity and coverage stay.
    Classes with too few cases keep their limit of the prediction sets.

    Args:
        decision: The model's.
        cases: New cases, none of them of the training; classes may be missing.
        labels: The classes.

    Raises:
        DataError: Fewer than 20 patients or groups of near-duplicates, all of one class, or none of the positive one.
    """
    present = np.flatnonzero(np.bincount(cases.target, minlength=len(labels.names)))
    n_groups = len(set(cases.groups))
    if n_groups < MIN_CASES:
        raise DataError(
            f"{cases.source}: of {n_groups} patients or groups of near-duplicates; a recalibration needs at least "
            f"{MIN_CASES}, add some"
        )
    if labels.positive_index is not None and labels.positive_index not in present:
        raise DataError(
            f"{cases.source}: none is {labels.positive}, which the threshold is for; add some, or images of the "
            "patients that come to you in turn"
        )
    if len(present) < 2:
        raise DataError(
            f"{cases.source}: all are {labels.names[present[0]]}; a recalibration needs two classes, add images of "
            "another"
        )
    before = decision.calibration.calibrator
    factor = fit_factor(before.apply(cases.logits), cases.target, present)
    calibrator = _scaled(before, factor, cases, present)
    is_scaled = isinstance(before, Identity | Temperature | VectorScaling)
    how = f"temperature times {factor:.2f}" if is_scaled else f"a temperature in place of {before.method}"
    calibration = Calibration(
        calibrator=calibrator,
        cases=len(cases.target),
        prevalence=prevalence_of(cases, labels),
        source=f"{how}, on {cases.source}",
    )
    # One parameter that is drawn to the model's own: limits from the same cases hold as many new ones as promised.
    probs = calibrator.apply(cases.logits)
    fitted = with_calibration(decision, calibration, probs, cases, labels, _wanted(decision))
    sets = _conformal(decision.conformal, fitted.conformal, labels, factor, cases.source)
    return fitted.model_copy(update={"conformal": sets})


def fit_factor(probs: FloatArray, target: IntArray, present: IntArray) -> float:
    """Return the factor of the temperature with the lowest penalised log-loss among the classes that have cases.

    Args:
        probs: float64 (N, K), the model's calibrated probabilities.
        target: int64 (N,).
        present: Indices of the classes that have cases, sorted.
    """
    from scipy.optimize import minimize_scalar

    logits = np.log(clip_probs(probs))[:, present]
    places = np.searchsorted(present, target)
    rows = np.arange(len(target))

    def loss(log_factor: float) -> float:
        fit = log_softmax(logits / np.exp(log_factor))[rows, places].sum()
        return float(-fit + PRIOR_PRECISION / 2 * log_factor**2)

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-6}).x))


def _scaled(before: AnyCalibrator, factor: float, cases: CalibrationCases, present: IntArray) -> AnyCalibrator:
    """Return a calibrator whose log-probabilities are another's divided by a factor, but for a constant.

    In place of curves, which have no temperature, one that is fitted to the raw logits.
    """
    if isinstance(before, Identity):
        return Temperature(factor)
    if isinstance(before, Temperature):
        return Temperature(before.temperature * factor)
    if isinstance(before, VectorScaling):
        return VectorScaling(
            tuple(scale / factor for scale in before.scale), tuple(offset / factor for offset in before.offset)
        )
    return Temperature(fit_factor(softmax(cases.logits), cases.target, present))


def _wanted(decision: Decision) -> AssessSettings:
    settings = AssessSettings()
    if decision.threshold is not None:
        settings = replace(settings, sensitivity=decision.threshold.wanted_sensitivity)
    if decision.conformal is not None:
        settings = replace(settings, coverage=decision.conformal.level)
    return settings


def _conformal(
    before: ConformalSets | None, fitted: ConformalSets | None, labels: LabelSchema, factor: float, source: str
) -> ConformalSets | None:
    """Return the new limits of the prediction sets.

    A class with too few new cases for a limit keeps its own, moved as the temperature moves a probability against all
    other classes.
    """
    if before is None or fitted is None:
        return before
    rows = list(zip(before.thresholds, fitted.thresholds, before.cases, fitted.cases, strict=True))
    few = [limit_rank(count, fitted.level) < 1 for *_, count in rows]
    chosen = [
        (_moved(old, factor), old_count) if is_few else (new, count)
        for (old, new, old_count, count), is_few in zip(rows, few, strict=True)
    ]
    kept = [name for name, is_few in zip(labels.names, few, strict=True) if is_few]
    note = f"; too few of {', '.join(kept)}: the limit before, moved with the temperature" if kept else ""
    return replace(
        fitted,
        thresholds=tuple(limit for limit, _ in chosen),
        cases=tuple(count for _, count in chosen),
        source=f"from {source}{note}",
    )


def _moved(prob: float, factor: float) -> float:
    """Return a probability whose log-odds are divided by a factor."""
    if not 0 < prob < 1:
        return prob
    return float(1 / (1 + np.exp(-np.log(prob / (1 - prob)) / factor)))
