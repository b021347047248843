from __future__ import annotations

import numpy as np
import pytest

from busight.metrics.compute import ScoredCases
from busight.metrics.mask_scores import MaskScores, stack_mask_scores
from busight.metrics.subgroups import subgroups

CLASSES = ("normal", "benign", "malignant")


def test_by_hand() -> None:
    target = np.array([1, 2] * 15)
    probs = np.eye(3)[target]
    probs[:5] = np.eye(3)[0]  # the first five cases, all of device A, are called normal
    metadata = [{"device": "A" if i < 10 else "B", "only": "x"} for i in range(29)] + [{}]
    found = subgroups([ScoredCases(target, probs, CLASSES)], metadata, [str(i) for i in range(30)], 0, resamples=50)
    # An attribute with one value makes no subgroups; a case without the attribute is in none.
    assert [(one.attribute, one.value, one.table.n_images, one.few) for one in found] == [
        ("device", "A", 10, True),
        ("device", "B", 19, True),
    ]
    assert [one.table.get("accuracy").value for one in found] == [0.5, 1.0]


def test_repeats_are_averaged_and_optional_columns_follow() -> None:
    target = np.tile([0, 1, 2], 20)
    right, wrong = np.eye(3)[target], np.eye(3)[(target + 1) % 3]
    dice = np.where(target == 0, np.nan, np.linspace(0, 1, 60))
    mask_scores = stack_mask_scores([MaskScores(dice=value) for value in dice])
    repeats = [ScoredCases(target, probs, CLASSES, mask_scores=mask_scores) for probs in (right, wrong)]
    metadata = [{"half": "first" if i < 30 else "second"} for i in range(60)]
    found = subgroups(repeats, metadata, [str(i) for i in range(60)], 0, resamples=50)
    assert [one.table.get("accuracy").value for one in found] == [0.5, 0.5]
    assert [one.few for one in found] == [False, False]
    assert found[0].table.get("dice", "lesion images").value == pytest.approx(np.nanmean(dice[:30]))
