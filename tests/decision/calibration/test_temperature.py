from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.decision.calibration.temperature import apply_temperature, fit_temperature
from busight.errors import DataError
from busight.metrics.activations import softmax
from busight.metrics.calibration_error import ece, log_loss
from busight.types import FloatArray, IntArray


def drawn_cases(seed: int, n_cases: int, temperature: float) -> tuple[FloatArray, IntArray]:
    """Labels drawn from the softmax of logits, then logits multiplied: ``temperature`` undoes it."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(n_cases, 3))
    target = np.array([rng.choice(3, p=row) for row in softmax(logits)])
    target[:3] = 0, 1, 2
    return logits * temperature, target


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 1000))
def test_softmax_equals_torch(seed: int, scale: float) -> None:
    logits = np.random.default_rng(seed).normal(scale=scale, size=(6, 4))
    np.testing.assert_allclose(softmax(logits), torch.softmax(torch.from_numpy(logits), 1).numpy(), atol=1e-15)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_finds_the_temperature_the_logits_were_made_with(temperature: float) -> None:
    logits, target = drawn_cases(4, 4000, temperature)
    found = fit_temperature(logits, target)
    assert found == pytest.approx(temperature, rel=0.05)
    assert ece(target, apply_temperature(logits, found)) < 0.03


def test_no_other_temperature_has_a_lower_loss() -> None:
    logits, target = drawn_cases(9, 60, 2.5)
    best = fit_temperature(logits, target)
    loss = log_loss(target, apply_temperature(logits, best))
    for other in np.geomspace(0.05, 20, 400):
        assert loss <= log_loss(target, apply_temperature(logits, other)) + 1e-9


def test_equals_gradient_descent_in_torch() -> None:
    logits, target = drawn_cases(2, 200, 3.0)
    log_temperature = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([log_temperature], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            torch.from_numpy(logits) / log_temperature.exp(), torch.from_numpy(target)
        )
        loss.backward()
        return loss

    search.step(closure)
    assert fit_temperature(logits, target) == pytest.approx(float(log_temperature.detach().exp()), rel=1e-4)


def test_the_predicted_class_stays() -> None:
    logits, _ = drawn_cases(5, 50, 1.0)
    for temperature in (0.05, 20.0):
        assert (apply_temperature(logits, temperature).argmax(1) == logits.argmax(1)).all()


def test_logits_that_say_nothing_end_at_the_upper_bound() -> None:
    logits, target = drawn_cases(6, 300, 1.0)
    assert fit_temperature(-5 * logits, target) == pytest.approx(20, rel=1e-3)


def test_refuses_cases_that_cannot_determine_it() -> None:
    logits, target = drawn_cases(1, 40, 1.0)
    with pytest.raises(DataError, match="19 validation cases: a calibration needs at least 20"):
        fit_temperature(logits[:19], target[:19])
    with pytest.raises(DataError, match="all 40 validation cases are of class 1"):
        fit_temperature(logits, np.ones_like(target))
    with pytest.raises(DataError, match="all 40 validation cases are predicted right"):
        fit_temperature(10 * np.eye(3)[target], target)
    with pytest.raises(DataError, match="check the network"):
        fit_temperature(np.full((40, 3), np.nan), target)
    with pytest.raises(DataError, match="one class index a case"):
        fit_temperature(logits, target[:-1])


def test_a_class_without_a_case_is_left_out() -> None:
    logits, target = drawn_cases(1, 400, 2.0)
    two = target < 2
    expected = fit_temperature(logits[two][:, :2], target[two])
    assert fit_temperature(logits[two], target[two]) == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_refuses_a_temperature_that_is_none(temperature: float) -> None:
    with pytest.raises(DataError, match="finite number above 0"):
        apply_temperature(np.zeros((1, 3)), temperature)
