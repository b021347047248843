from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from busight.errors import DataError
from busight.metrics.compute import ScoredCases
from busight.metrics.paired import compare

CLASSES = ("normal", "benign", "malignant")


def cases(seed: int, skill: float, n: int = 150) -> ScoredCases:
    rng = np.random.default_rng(seed)
    target = np.arange(n) % 3
    logits = rng.normal(size=(n, 3)) + skill * np.eye(3)[target]
    powers = np.exp(logits)
    return ScoredCases(target, powers / powers.sum(axis=1, keepdims=True), CLASSES, 2, (1, 2))


def test_the_difference_is_second_minus_first() -> None:
    poor, good = cases(0, 0.5), cases(1, 3.0)
    found = compare([poor], [good], list(range(150)), resamples=300)
    difference = found.differences.get("auroc", "malignant")
    areas = [roc_auc_score(one.target == 2, one.probs[:, 2]) for one in (poor, good)]
    assert (difference.first, difference.second) == pytest.approx(areas)
    assert difference.value == pytest.approx(areas[1] - areas[0])
    assert 0 < difference.low < difference.value < difference.high
    assert found.mcnemar[0].only_second > found.mcnemar[0].only_first
    test = found.delong[0][2]
    assert test is not None
    assert (test.first, test.second) == pytest.approx(areas)
    # Two ways to the same interval.
    assert (test.low, test.high) == pytest.approx((difference.low, difference.high), abs=0.03)


def test_pairing_makes_intervals_narrow() -> None:
    one = cases(0, 1.0)
    jitter = np.random.default_rng(5).normal(scale=0.05, size=one.probs.shape)
    powers = np.exp(np.log(one.probs) + jitter)
    other = ScoredCases(one.target, powers / powers.sum(axis=1, keepdims=True), CLASSES, 2, (1, 2))
    paired = compare([one], [other], list(range(150)), resamples=300).differences.get("auroc", "macro")
    apart = compare([one], [cases(7, 1.0)], list(range(150)), resamples=300).differences.get("auroc", "macro")
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_repeats_are_compared_in_pairs() -> None:
    first, second = [cases(k, 1.0) for k in range(3)], [cases(k, 1.0) for k in range(3)]
    found = compare(first, second, list(range(150)), resamples=200)
    assert found.repeats == len(found.delong) == len(found.mcnemar) == 3
    assert {one.value for one in found.differences} == {0}
    # No image differed; up to 2.4 % of further ones may (exact, 150 images).
    accuracy = found.differences.get("accuracy")
    assert (accuracy.low, accuracy.high) == pytest.approx((0.025 ** (1 / 150) - 1, 1 - 0.025 ** (1 / 150)))


def test_a_class_without_variance_has_no_delong_test() -> None:
    target = np.array([0, 0, 0, 1, 1, 1, 2])
    one = ScoredCases(target, np.full((7, 3), 1 / 3), CLASSES)
    assert compare([one], [one], list(range(7)), resamples=10).delong[0][2] is None


def test_other_cases_are_refused() -> None:
    with pytest.raises(DataError, match="same cases"):
        compare([cases(0, 1)], [cases(0, 1, n=90)], list(range(150)))
    with pytest.raises(DataError, match="1 against 2 repeats"):
        compare([cases(0, 1)], [cases(0, 1)] * 2, list(range(150)))
