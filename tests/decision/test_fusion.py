from __future__ import annotations

import numpy as np
import pytest

from busight.decision.fusion import with_second_reader

CLASSES = ("normal", "benign", "malignant")


def test_a_case_worked_by_hand() -> None:
    """Three to one for malignant at half weight: log 3 / 2, half of it on each side."""
    moved = with_second_reader(np.array([0.0, 1.0, 2.0]), CLASSES, 0.75, 0.5)
    step = np.log(3) / 4
    np.testing.assert_allclose(moved, [0.0, 1 - step, 2 + step])


def test_an_undecided_reader_and_no_weight_change_nothing() -> None:
    logits = np.array([0.3, -1.0, 2.0])
    np.testing.assert_array_equal(with_second_reader(logits, CLASSES, 0.5, 1.0), logits)
    np.testing.assert_array_equal(with_second_reader(logits, CLASSES, 0.99, 0.0), logits)


@pytest.mark.parametrize("malignant", [0.0, 1.0])
def test_a_certain_reader_does_not_decide_alone(malignant: float) -> None:
    moved = with_second_reader(np.zeros(3), CLASSES, malignant, 1.0)
    assert abs(moved[2] - moved[1]) == pytest.approx(4)
