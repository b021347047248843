from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.isotonic import IsotonicRegression

from busight.decision.calibration.beta import Beta
from busight.decision.calibration.catalogue import AnyCalibrator, CalibrationMethod, choose_calibrator, fit_calibrator
from busight.decision.calibration.isotonic import Isotonic
from busight.decision.calibration.vector import VectorScaling
from busight.errors import DataError
from busight.metrics.activations import softmax
from busight.metrics.calibration_error import ece, log_loss

METHODS: tuple[CalibrationMethod, ...] = ("none", "temperature", "vector", "isotonic", "beta")


def drawn(
    n: int, seed: int, scale: float = 1.0, offset: tuple[float, ...] = (0, 0, 0)
) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the truth, and then distorted by a scale and offsets."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, (n, 3))
    target = np.array([rng.choice(3, p=p) for p in softmax(true)])
    return scale * true + np.array(offset), target


@pytest.mark.parametrize("method", METHODS)
def test_every_way_gives_probabilities_of_any_logits(method: CalibrationMethod) -> None:
    fitted = fit_calibrator(method, *drawn(200, 0, 3))
    probs = fitted.apply(np.array([[0, 0, 0], [900, -900, 0], [-50, 1e4, 3]], dtype=float))
    assert np.isfinite(probs).all()
    assert probs.min() >= 0
    np.testing.assert_allclose(probs.sum(1), 1)


@pytest.mark.parametrize("method", METHODS[1:])
def test_every_way_mends_overconfidence(method: CalibrationMethod) -> None:
    fitted = fit_calibrator(method, *drawn(2000, 1, 4))
    logits, target = drawn(4000, 2, 4)
    assert ece(target, softmax(logits)) > 0.12
    assert ece(target, fitted.apply(logits)) < 0.03
    assert log_loss(target, fitted.apply(logits)) < log_loss(target, softmax(logits)) - 0.1


def test_vector_scaling_finds_scales_and_offsets() -> None:
    logits, target = drawn(20_000, 3, 2, (1, 0, -1))
    fitted = VectorScaling.fit(logits, target)
    assert fitted.scale == pytest.approx([0.5] * 3, abs=0.05)
    # Softmax does not feel a common offset: their differences count.
    assert np.diff(fitted.offset) == pytest.approx([0.5, 0.5], abs=0.1)


def test_vector_scaling_has_the_lowest_penalised_loss() -> None:
    """The slope is right: another optimiser without it ends in the same place."""
    from scipy.optimize import minimize

    from busight.decision.calibration.temperature import fit_temperature

    logits, target = drawn(150, 4, 2, (1, 0, -1))
    start = np.concatenate([np.full(3, 1 / fit_temperature(logits, target)), np.zeros(3)])

    def loss(x: np.ndarray) -> float:
        away = np.concatenate([x[:3] / start[:3] - 1, x[3:]])
        return len(target) * float(log_loss(target, softmax(logits * x[:3] + x[3:]))) + float(away @ away)

    fitted = VectorScaling.fit(logits, target)
    found = np.array([*fitted.scale, *fitted.offset])
    other = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 20_000, "xatol": 1e-7, "fatol": 1e-9}).x
    assert found == pytest.approx(other, abs=2e-3)


def test_beta_calibration_finds_its_own_curve() -> None:
    rng = np.random.default_rng(5)
    given = rng.uniform(0.01, 0.99, 40_000)
    a, b, c = 0.5, 1.5, -0.3
    true = 1 / (1 + np.exp(-(a * np.log(given) - b * np.log1p(-given) + c)))
    target = (rng.random(len(given)) < true).astype(np.int64)
    logits = np.stack([np.log1p(-given), np.log(given)], axis=1)
    assert Beta.fit(logits, target).curves[1] == pytest.approx((a, b, c), abs=0.08)


def test_a_beta_curve_never_falls() -> None:
    """Probabilities that say the opposite of the truth: an exponent below 0 would turn them around."""
    logits, target = drawn(300, 6)
    for row in Beta.fit(-logits, target).curves:
        assert min(row[:2]) >= 0
    # Of a class about which the scores say the opposite, only its share is left.
    turned = Beta.fit(-10 * logits, target).curves
    for k, (a, b, c) in enumerate(turned):
        if a == b == 0:
            assert 1 / (1 + np.exp(-c)) == pytest.approx((target == k).mean())
    assert any(a == b == 0 for a, b, _ in turned)


def test_isotonic_steps_are_those_of_scikit_learn() -> None:
    logits, target = drawn(300, 7, 2)
    fitted = fit_calibrator("isotonic", logits, target)
    raw = softmax(drawn(50, 8, 2)[0])
    each = [
        IsotonicRegression(out_of_bounds="clip").fit(softmax(logits)[:, k], target == k).predict(raw[:, k])
        for k in range(3)
    ]
    expected = np.stack(each, axis=1)
    np.testing.assert_allclose(fitted.apply(np.log(raw)), expected / expected.sum(1, keepdims=True), atol=1e-9)


def test_where_all_steps_say_no_the_raw_probabilities_stay() -> None:
    knots = Isotonic(((0.0, 1.0),) * 3, ((0.0, 0.0),) * 3)
    logits = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(knots.apply(logits), softmax(logits))


def test_the_choice_needs_evidence_for_more_numbers() -> None:
    groups = [str(i) for i in range(20_000)]
    logits, target = drawn(100, 9, 2)
    assert choose_calibrator(logits, target, groups[:100], METHODS).method in ("none", "temperature")
    logits, target = drawn(4000, 10, 3, (3, 0, -3))
    assert choose_calibrator(logits, target, groups[:4000], METHODS).method == "vector"


def test_groups_stay_together_in_the_choice() -> None:
    logits, target = drawn(40, 11)
    assert choose_calibrator(logits, target, ["one"] * 40, METHODS).method == "none"


@pytest.mark.parametrize("method", METHODS[1:])
def test_cases_that_cannot_determine_it_are_refused(method: CalibrationMethod) -> None:
    logits, target = drawn(100, 12)
    if method != "temperature":  # one number for all classes
        with pytest.raises(DataError, match="class 2 has no validation case"):
            fit_calibrator(method, logits, np.where(target == 2, 1, target))
    with pytest.raises(DataError, match="19 validation cases"):
        fit_calibrator(method, logits[:19], target[:19])


@pytest.mark.parametrize("method", METHODS)
def test_what_a_card_holds_gives_the_same_calibrator(method: CalibrationMethod) -> None:
    fitted = fit_calibrator(method, *drawn(200, 0, 3))
    again = TypeAdapter(AnyCalibrator).validate_json(json.dumps(fitted.to_dict()))
    assert again == fitted
    assert fitted.fits(3)
    assert method in ("none", "temperature") or not fitted.fits(4)
