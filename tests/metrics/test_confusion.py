from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.confusion import confusion_matrix


def test_rows_are_actual_and_columns_predicted() -> None:
    found = confusion_matrix(np.array([0, 0, 2, 1]), np.array([0, 2, 2, 1]), 3)
    assert found.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(1, 60), n_classes=st.integers(2, 5))
def test_equals_scikit_learn_with_and_without_weights(seed: int, n_cases: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    target, predicted = rng.integers(n_classes, size=(2, n_cases))
    weights = rng.integers(0, 4, size=(3, n_cases)).astype(float)
    weights[:, 0] += 1  # scikit-learn refuses cases that all weigh nothing
    labels = np.arange(n_classes)
    assert np.array_equal(
        confusion_matrix(target, predicted, n_classes), metrics.confusion_matrix(target, predicted, labels=labels)
    )
    for row, found in zip(weights, confusion_matrix(target, predicted, n_classes, weights), strict=True):
        expected = metrics.confusion_matrix(target, predicted, labels=labels, sample_weight=row)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("target", "predicted", "message"),
    [
        ([], [], "no cases to score"),
        ([0, 3], [0, 1], r"target holds 0\.\.3; with 3 classes an index is 0\.\.2"),
        ([0, -1], [0, 1], "unlabelled cases are to be left out"),
        ([0, 1], [0], r"shape \(2,\) for 1 cases"),
        ([0.0, 1.0], [0, 1], "class indices are integers"),
    ],
)
def test_refuses_arrays_that_do_not_belong_together(target: list[float], predicted: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        confusion_matrix(np.array(target), np.array(predicted), 3)
