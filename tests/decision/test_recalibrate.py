from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from busight.data.labels import BREAST
from busight.decision.calibration.beta import Beta
from busight.decision.calibration.catalogue import AnyCalibrator, fit_calibrator
from busight.decision.calibration.identity import Identity
from busight.decision.calibration.temperature import Temperature
from busight.decision.calibration.vector import VectorScaling
from busight.decision.decision import Calibration, Decision
from busight.decision.fit import CalibrationCases, fit_decision
from busight.decision.recalibrate import PRIOR_PRECISION, recalibrate_decision
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.metrics.calibration_error import log_loss


def drawn(seed: int, n: int, sharpness: float = 1.0, classes: tuple[int, ...] = (0, 1, 2)) -> CalibrationCases:
    """Return cases whose logits are right when divided by the sharpness."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 3))
    probs = np.exp(log_softmax(logits, axis=1))
    target = np.array([rng.choice(3, p=row) for row in probs])
    kept = np.isin(target, classes)
    groups = [str(number) for number in range(int(kept.sum()))]
    return CalibrationCases(logits[kept] * sharpness, target[kept], groups, f"{kept.sum()} new images")


TRAINED = fit_decision(
    Decision(calibration=Calibration(cases=0, source="")), drawn(0, 600), BREAST, AssessSettings(sensitivity=0.9)
)


def test_too_sure_a_model_is_cooled_and_few_cases_change_little() -> None:
    many, few = drawn(1, 2000, 3.0), drawn(2, 40, 3.0)
    cooled = recalibrate_decision(TRAINED, many, BREAST).calibration.calibrator
    assert isinstance(cooled, Temperature)
    assert cooled.temperature == pytest.approx(3, rel=0.1)
    little = recalibrate_decision(TRAINED, few, BREAST).calibration.calibrator
    assert isinstance(little, Temperature)
    assert 1 < little.temperature < cooled.temperature


def test_the_factor_is_that_of_the_penalised_likelihood() -> None:
    cases = drawn(3, 60, 2.0)
    before = TRAINED.calibration.calibrator
    assert isinstance(before, Temperature)

    def loss(log_factor: float) -> float:
        scaled = cases.logits / (before.temperature * np.exp(log_factor))
        return float(
            -log_softmax(scaled, axis=1)[np.arange(len(cases.target)), cases.target].sum()
            + PRIOR_PRECISION / 2 * log_factor**2
        )

    expected = before.temperature * np.exp(minimize_scalar(loss, bracket=(-1, 1)).x)
    found = recalibrate_decision(TRAINED, cases, BREAST).calibration.calibrator
    assert isinstance(found, Temperature)
    assert found.temperature == pytest.approx(expected, rel=1e-3)


def test_sensitivity_and_coverage_stay_and_absent_classes_keep_their_limit() -> None:
    lesions = drawn(4, 400, 1.0, (1, 2))
    changed = recalibrate_decision(TRAINED, lesions, BREAST)
    assert changed.threshold is not None
    assert changed.threshold.wanted_sensitivity == 0.9
    assert changed.threshold.sensitivity >= 0.9  # type: ignore[operator]
    assert changed.conformal is not None
    assert TRAINED.conformal is not None
    assert changed.conformal.level == TRAINED.conformal.level
    old = TRAINED.conformal.thresholds[0]
    factor = changed.calibration.calibrator.temperature / TRAINED.calibration.calibrator.temperature  # type: ignore[union-attr]
    assert changed.conformal.thresholds[0] == pytest.approx(1 / (1 + ((1 - old) / old) ** (1 / factor)))
    assert changed.conformal.thresholds[1:] != TRAINED.conformal.thresholds[1:]
    assert "too few of normal: the limit before, moved" in changed.conformal.source
    assert "temperature times" in changed.calibration.source


@pytest.mark.parametrize("method", ["none", "vector", "beta"])
def test_every_calibrator_can_be_recalibrated(method: str) -> None:
    old: AnyCalibrator = (
        Identity() if method == "none" else fit_calibrator(method, drawn(5, 600).logits, drawn(5, 600).target)  # type: ignore[arg-type]
    )
    kinds = {"none": Identity, "vector": VectorScaling, "beta": Beta}
    assert isinstance(old, kinds[method])
    trained = TRAINED.model_copy(update={"calibration": Calibration(calibrator=old, cases=600, source="a test")})
    new, held_out = drawn(6, 300, 3.0), drawn(7, 2000, 3.0)
    changed = recalibrate_decision(trained, new, BREAST).calibration.calibrator
    before, after = (float(log_loss(held_out.target, one.apply(held_out.logits))) for one in (old, changed))
    assert after < before - 0.1


def test_too_few_cases_and_one_class_are_refused() -> None:
    with pytest.raises(DataError, match="of 19 patients or groups of near-duplicates"):
        recalibrate_decision(TRAINED, drawn(8, 19), BREAST)
    copies = drawn(8, 60)
    with pytest.raises(DataError, match="of 1 patients or groups"):
        recalibrate_decision(TRAINED, replace(copies, groups=["one"] * 60), BREAST)
    with pytest.raises(DataError, match="all are malignant; a recalibration needs two classes"):
        recalibrate_decision(TRAINED, drawn(9, 300, 1.0, (2,)), BREAST)
    with pytest.raises(DataError, match="none is malignant, which the threshold is for"):
        recalibrate_decision(TRAINED, drawn(9, 300, 1.0, (0, 1)), BREAST)
