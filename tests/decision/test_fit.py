from __future__ import annotations

import numpy as np
import pytest

from busight.data.labels import BREAST
from busight.decision.decision import UNCALIBRATED, Decision
from busight.decision.fit import CalibrationCases, fit_decision
from busight.decision.settings import AssessSettings
from busight.types import FloatArray, IntArray

NOTHING = Decision(calibration=UNCALIBRATED)


def drawn(count: int, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    target = rng.choice(3, count, p=[0.2, 0.5, 0.3])
    logits = rng.normal(size=(count, 3))
    logits[np.arange(count), target] += 2
    return logits, target


@pytest.mark.parametrize("method", ["isotonic", "vector", "beta"])
def test_prediction_sets_hold_new_cases_after_calibration_on_the_same_cases(method: str) -> None:
    # Limits of the calibrator's own cases, isotonic, hold 0.886–0.893 here.
    rng = np.random.default_rng(1)
    settings = AssessSettings(calibration=method)  # type: ignore[arg-type]
    covered = []
    for _ in range(40):
        logits, target = drawn(150, rng)
        cases = CalibrationCases(logits, target, [str(index) for index in range(150)], "150 images")
        decision = fit_decision(NOTHING, cases, BREAST, settings)
        logits, target = drawn(1000, rng)
        assert decision.conformal is not None
        sets = decision.conformal.sets(decision.calibration.calibrator.apply(logits))
        covered.append([sets[target == k, k].mean() for k in range(3)])
    assert (np.mean(covered, axis=0) >= 0.895).all()


def test_too_few_cases_for_folds_still_give_sets() -> None:
    logits = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0], [1.0, 0.0, 0.5]])
    cases = CalibrationCases(logits, np.array([0, 1, 2, 0]), ["a", "b", "c", "d"], "4 images")
    decision = fit_decision(NOTHING, cases, BREAST, AssessSettings(calibration="isotonic"))
    assert decision.conformal is not None
    assert decision.conformal.thresholds == (0.0, 0.0, 0.0)
