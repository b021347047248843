from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

from busight.errors import DataError
from busight.metrics.calibration_error import brier, ece, log_loss


def test_by_hand() -> None:
    target = np.array([0, 1])
    probs = np.array([[0.8, 0.2], [0.6, 0.4]])
    assert brier(target, probs) == pytest.approx((0.08 + 0.72) / 2)
    assert log_loss(target, probs) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    # Confidence 0.8 and right, 0.6 and wrong, each alone in its bin.
    assert ece(target, probs) == pytest.approx((0.2 + 0.6) / 2)


def test_certain_and_right_is_perfect_certain_and_wrong_is_finite() -> None:
    probs = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert [float(score(np.array([0, 1]), probs)) for score in (brier, log_loss, ece)] == [0, 0, 0]
    wrong = np.array([1, 0])
    assert brier(wrong, probs) == 2
    assert ece(wrong, probs) == 1
    assert log_loss(wrong, probs) == pytest.approx(52 * np.log(2))


def test_gaps_of_one_bin_cancel_before_they_count() -> None:
    probs = np.tile([0.55, 0.45], (20, 1))
    target = np.array([0] * 11 + [1] * 9)
    assert ece(target, probs) == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(1, 80), n_classes=st.integers(2, 5))
def test_equals_scikit_learn_and_torchmetrics(seed: int, n_cases: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(n_classes, size=n_cases)
    probs = rng.dirichlet(np.ones(n_classes), size=n_cases)
    truth = np.eye(n_classes)[target]
    np.testing.assert_allclose(brier(target, probs), n_classes * metrics.mean_squared_error(truth, probs))
    expected = metrics.log_loss(target, probs, labels=np.arange(n_classes))
    np.testing.assert_allclose(log_loss(target, probs), expected)
    expected_ece = multiclass_calibration_error(
        torch.from_numpy(probs), torch.from_numpy(target), num_classes=n_classes, n_bins=15, norm="l1"
    )
    np.testing.assert_allclose(ece(target, probs), float(expected_ece), atol=1e-6)


@pytest.mark.parametrize(
    ("target", "probs", "message"),
    [
        ([0], [[1.2, -0.2]], "not logits"),
        ([0], [[np.nan, 1.0]], "not logits"),
        ([0], [[0.5, 0.4]], "sums to 0.9"),
        ([0], [[1.0]], "at least two classes"),
        ([0, 1], [[0.5, 0.5]], "one class index a case"),
        ([2], [[0.5, 0.5]], r"with 2 classes an index is 0\.\.1"),
    ],
)
@pytest.mark.parametrize("score", [brier, log_loss, ece])
def test_refuses_what_is_no_probability(
    score: object, target: list[int], probs: list[list[float]], message: str
) -> None:
    assert callable(score)
    with pytest.raises(DataError, match=message):
        score(np.array(target), np.array(probs))
