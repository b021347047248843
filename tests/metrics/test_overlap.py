from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.overlap import area_fraction, dice, iou, pixel_precision, pixel_recall

EMPTY = np.zeros((4, 5), bool)
FULL = np.ones((4, 5), bool)


def test_by_hand() -> None:
    left, top = EMPTY.copy(), EMPTY.copy()
    left[:, :2] = True
    top[:2] = True
    assert dice(left, top) == 2 * 4 / 18
    assert iou(left, top) == 4 / 14
    assert pixel_recall(left, top) == 4 / 10
    assert pixel_precision(left, top) == 4 / 8
    assert area_fraction(left) == 0.4


def test_empty_masks() -> None:
    assert dice(EMPTY, FULL) == iou(EMPTY, FULL) == 0
    assert dice(FULL, FULL) == iou(FULL, FULL) == 1
    assert np.isnan([dice(EMPTY, EMPTY), iou(EMPTY, EMPTY)]).all()
    assert pixel_recall(EMPTY, FULL) == pixel_precision(FULL, EMPTY) == 0
    assert np.isnan([pixel_recall(FULL, EMPTY), pixel_precision(EMPTY, FULL)]).all()
    assert area_fraction(EMPTY) == 0


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.95))
def test_equals_scikit_learn(seed: int, share: float) -> None:
    annotated, predicted = np.random.default_rng(seed).random((2, 9, 7)) < share
    annotated[0, 0] = predicted[1, 1] = True
    assert dice(predicted, annotated) == pytest.approx(metrics.f1_score(annotated.ravel(), predicted.ravel()))
    assert iou(predicted, annotated) == pytest.approx(metrics.jaccard_score(annotated.ravel(), predicted.ravel()))
    assert dice(predicted, annotated) == dice(annotated, predicted)
    recall, precision = pixel_recall(predicted, annotated), pixel_precision(predicted, annotated)
    assert recall == pytest.approx(metrics.recall_score(annotated.ravel(), predicted.ravel()))
    assert precision == pytest.approx(metrics.precision_score(annotated.ravel(), predicted.ravel()))


def test_refuses_what_is_no_pair_of_masks() -> None:
    with pytest.raises(DataError, match="bring both to the image's size"):
        dice(FULL, FULL[:2])
    with pytest.raises(DataError, match="mask is uint8"):
        iou(FULL.astype(np.uint8), FULL)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="at least one pixel"):
        area_fraction(np.zeros((0, 3), bool))
