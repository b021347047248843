from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_specificity

from busight.metrics import classification as scores
from busight.metrics.confusion import confusion_matrix

# The paper's Fig. 4: benign, malignant, normal.
PAPER = np.array([[65.0, 0, 1], [2, 29, 0], [0, 0, 20]])


def test_the_papers_own_figures() -> None:
    assert scores.accuracy(PAPER) == 114 / 117
    assert scores.sensitivity(PAPER).tolist() == [65 / 66, 29 / 31, 1.0]
    assert scores.precision(PAPER).tolist() == [65 / 67, 1.0, 20 / 21]
    assert scores.specificity(PAPER).tolist() == [49 / 51, 1.0, 96 / 97]
    assert scores.f1(PAPER).min() > 0.95
    assert scores.balanced_accuracy(PAPER) == pytest.approx((65 / 66 + 29 / 31 + 1) / 3)
    assert scores.support_weighted(scores.sensitivity(PAPER), PAPER) == pytest.approx(114 / 117)


def test_kappa_by_hand() -> None:
    # Observed agreement 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    assert scores.cohen_kappa(np.array([[20.0, 5], [10, 15]])) == pytest.approx(0.4)


def test_what_is_undefined_is_nan_and_the_rest_stands() -> None:
    # No case of the third class, and the second is never predicted.
    confusion = np.array([[6.0, 0, 2], [1, 0, 1], [0, 0, 0]])
    assert np.array_equal(scores.sensitivity(confusion), [0.75, 0, np.nan], equal_nan=True)
    assert np.array_equal(scores.precision(confusion), [6 / 7, np.nan, 0], equal_nan=True)
    assert scores.f1(confusion).tolist() == [12 / 15, 0, 0]
    assert np.isnan(scores.macro(scores.sensitivity(confusion)))
    assert np.isnan(scores.balanced_accuracy(confusion))
    assert scores.balanced_accuracy(confusion, np.array([True, True, False])) == 0.375
    assert scores.support_weighted(scores.sensitivity(confusion), confusion) == pytest.approx(0.6)
    assert np.isnan(scores.support_weighted(scores.precision(confusion), confusion))


def test_one_class_for_everything_leaves_kappa_and_mcc_undefined() -> None:
    confusion = np.array([[7.0, 0], [0, 0]])
    assert np.isnan(scores.cohen_kappa(confusion))
    assert np.isnan(scores.mcc(confusion))
    assert np.isnan(scores.specificity(confusion)[0])


def test_nothing_is_nan_throughout() -> None:
    empty = np.zeros((3, 3))
    assert np.isnan(scores.accuracy(empty))
    assert np.isnan(scores.f1(empty)).all()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(1, 60), n_classes=st.integers(2, 5))
def test_equals_scikit_learn_and_torchmetrics(seed: int, n_cases: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    every_class = np.arange(n_classes)  # so that the references find every figure defined
    target = np.append(rng.integers(n_classes, size=n_cases), every_class)
    predicted = np.append(rng.integers(n_classes, size=n_cases), rng.permutation(every_class))
    confusion = confusion_matrix(target, predicted, n_classes)

    for ours, reference in (
        (scores.precision, metrics.precision_score),
        (scores.sensitivity, metrics.recall_score),
        (scores.f1, metrics.f1_score),
    ):
        per_class = ours(confusion)
        np.testing.assert_allclose(per_class, reference(target, predicted, average=None))
        np.testing.assert_allclose(scores.macro(per_class), reference(target, predicted, average="macro"))
        weighted = scores.support_weighted(per_class, confusion)
        np.testing.assert_allclose(weighted, reference(target, predicted, average="weighted"))

    overall: list[tuple[Any, Any]] = [
        (scores.accuracy, metrics.accuracy_score),
        (scores.balanced_accuracy, metrics.balanced_accuracy_score),
        (scores.cohen_kappa, metrics.cohen_kappa_score),
        (scores.mcc, metrics.matthews_corrcoef),
    ]
    for ours, reference in overall:
        np.testing.assert_allclose(ours(confusion), reference(target, predicted), atol=1e-12)

    expected = multiclass_specificity(
        torch.from_numpy(predicted), torch.from_numpy(target), num_classes=n_classes, average=None
    )
    np.testing.assert_allclose(scores.specificity(confusion), expected.numpy(), rtol=1e-6)


def test_leading_indices_are_independent() -> None:
    both = np.stack([PAPER, PAPER.T])
    for score in (scores.accuracy, scores.f1, scores.specificity, scores.mcc, scores.cohen_kappa):
        assert np.array_equal(score(both), np.stack([score(PAPER), score(PAPER.T)]))
