"""Fitting of the decision on cases that are neither training nor test cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from busight.data.labels import LabelSchema
from busight.decision.calibration.catalogue import (
    CALIBRATORS,
    AnyCalibrator,
    choose_calibrator,
    fit_calibrator,
    grouped_folds,
)
from busight.decision.calibration.identity import Identity
from busight.decision.calibration.temperature import Temperature
from busight.decision.conformal import ConformalSets, fit_conformal
from busight.decision.decision import UNCALIBRATED, Calibration, Decision, Threshold
from busight.decision.settings import AssessSettings
from busight.decision.threshold import threshold_for_sensitivity
from busight.errors import DataError
from busight.io.atomic import nan_as_none
from busight.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCases:
    """The cases that a decision is fitted on.

    Attributes:
        logits: float64 (N, K).
        target: int64 (N,), actual class 0..K-1.
        groups: (N,), patient or near-duplicate component of each case.
        source: The cases in words, e.g. ``"90 validation images"``.
        chose_otherwise: What else was chosen on these cases, e.g. ``"mask threshold"``; empty for nothing.
    """

    logits: FloatArray
    target: IntArray
    groups: Sequence[str]
    source: str
    chose_otherwise: tuple[str, ...] = ()


def fit_decision(
    decision: Decision, cases: CalibrationCases, labels: LabelSchema, settings: AssessSettings
) -> Decision:
    """Return a decision with calibration, threshold and prediction sets; a part that cannot be fitted holds the reason.

    Args:
        decision: Its other parts are kept.
        cases: N cases.
        labels: The K classes.
        settings: The recipe's ``assess`` section.
    """
    calibration = _calibration(cases, labels, settings)
    probs = _cross_fitted(calibration.calibrator, calibration.calibrator.apply(cases.logits), cases)
    return with_calibration(decision, calibration, probs, cases, labels, settings)


def with_calibration(
    decision: Decision,
    calibration: Calibration,
    held_out_probs: FloatArray,
    cases: CalibrationCases,
    labels: LabelSchema,
    settings: AssessSettings,
) -> Decision:
    """Return a decision with a calibration, and threshold and prediction sets for it.

    Args:
        decision: Its other parts are kept.
        calibration: The calibration.
        held_out_probs: float64 (N, K), calibrated probabilities that the limits of prediction sets are taken from.
        cases: N cases.
        labels: The K classes.
        settings: Wanted sensitivity, and coverage of the sets.
    """
    probs = calibration.calibrator.apply(cases.logits)
    return decision.model_copy(
        update={
            "calibration": calibration,
            "threshold": _threshold(probs, cases, labels, settings),
            "conformal": _conformal(held_out_probs, cases, labels, settings),
        }
    ).require_classes(len(labels.names))


def _calibration(cases: CalibrationCases, labels: LabelSchema, settings: AssessSettings) -> Calibration:
    measured: dict[str, Any] = {"cases": len(cases.target), "prevalence": prevalence_of(cases, labels)}
    if settings.calibration == "none":
        return UNCALIBRATED.model_copy(update={**measured, "source": "switched off in the recipe"})
    how = ""
    try:
        if settings.calibration == "auto":
            calibrator = choose_calibrator(cases.logits, cases.target, cases.groups, tuple(CALIBRATORS))
            how = f"chosen among {', '.join(CALIBRATORS)}, "
        else:
            calibrator = fit_calibrator(settings.calibration, cases.logits, cases.target)
    except DataError as error:
        return UNCALIBRATED.model_copy(update={**measured, "source": f"not calibrated: {error}"})
    return Calibration(calibrator=calibrator, source=f"{how}fitted on {cases.source}{_shared(cases)}", **measured)


def prevalence_of(cases: CalibrationCases, labels: LabelSchema) -> float | None:
    """Return the share of the positive class; None without one, and where no case or every case is of it."""
    if labels.positive_index is None:
        return None
    share = float((cases.target == labels.positive_index).mean())
    return share if 0 < share < 1 else None


def _shared(cases: CalibrationCases) -> str:
    others = ("threshold", "conformal limits", *cases.chose_otherwise)
    return f", as were {', '.join(others[:-1])} and {others[-1]}"


def _threshold(
    probs: FloatArray, cases: CalibrationCases, labels: LabelSchema, settings: AssessSettings
) -> Threshold | None:
    if labels.positive_index is None:
        return None
    positive = cases.target == labels.positive_index
    point = threshold_for_sensitivity(probs[:, labels.positive_index], positive, wanted=settings.sensitivity)
    return Threshold(
        wanted_sensitivity=settings.sensitivity,
        threshold=nan_as_none(point.threshold),
        sensitivity=nan_as_none(point.sensitivity),
        specificity=nan_as_none(point.specificity),
        source=f"{point.n_positive} {labels.positive} and {point.n_negative} other cases of {cases.source}",
    )


def _cross_fitted(calibrator: AnyCalibrator, probs: FloatArray, cases: CalibrationCases) -> FloatArray:
    """Return calibrated probabilities of cases that the calibrator has not seen: of its method, on grouped folds.

    Limits of prediction sets that are fitted on the calibrator's own cases hold fewer new ones than promised where it
    has many parameters (isotonic: 0.88 of 0.90). With one, the temperature, there is no such loss.
    """
    if isinstance(calibrator, Identity | Temperature):
        return probs
    held_out = probs.copy()
    for fit, held in grouped_folds(cases.target, cases.groups):
        try:
            held_out[held] = fit_calibrator(calibrator.method, cases.logits[fit], cases.target[fit]).apply(
                cases.logits[held]
            )
        except DataError:
            continue  # too few cases without this fold: its own stay
    return held_out


def _conformal(
    probs: FloatArray, cases: CalibrationCases, labels: LabelSchema, settings: AssessSettings
) -> ConformalSets:
    sets = fit_conformal(probs, cases.target, settings.coverage)
    always = [name for name, threshold in zip(labels.names, sets.thresholds, strict=True) if not threshold]
    few = f"; {', '.join(always)} in every set: too few cases, or some with a probability of 0" if always else ""
    return replace(sets, source=f"from {cases.source}{few}")
