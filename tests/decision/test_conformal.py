from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin

from busight.decision.conformal import fit_conformal
from busight.errors import DataError
from busight.metrics.activations import softmax


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are the probabilities themselves."""

    classes_ = np.arange(3)

    def fit(self, probs: np.ndarray, target: np.ndarray) -> Given:
        self.is_fitted_ = True
        return self

    def predict_proba(self, probs: np.ndarray) -> np.ndarray:
        return probs

    def predict(self, probs: np.ndarray) -> np.ndarray:
        return probs.argmax(1)


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 3))
    return softmax(1.7 * logits), np.array([rng.choice(3, p=p) for p in softmax(logits)])


@given(st.integers(0, 1000), st.sampled_from([0.8, 0.9, 0.95]))
def test_every_class_is_held_as_often_as_promised(seed: int, level: float) -> None:
    """Over many draws of validation cases the mean coverage is at least the level, and hardly above it."""
    rng = np.random.default_rng(seed)
    scores = rng.random((400, 100))  # of one class: the probability that its own cases were given
    covered = []
    for own in scores:
        least = np.sort(own)[int(np.floor(101 * (1 - level) + 1e-9)) - 1]
        probs = np.stack([own, 1 - own], axis=1)
        found = fit_conformal(np.vstack([probs, probs]), np.repeat([0, 1], 100), level)
        assert found.thresholds[0] == least
        covered.append(1 - least)
    assert level - 0.005 <= np.mean(covered) <= level + 1 / 101 + 0.005


def test_sets_cover_new_cases() -> None:
    found = fit_conformal(*drawn(3000, 0), 0.9)
    probs, target = drawn(20_000, 1)
    inside = found.sets(probs)[np.arange(len(target)), target]
    for k in range(3):
        assert inside[target == k].mean() == pytest.approx(0.9, abs=0.02)


@pytest.mark.filterwarnings("ignore:WARNING. your conformalization dataset has less labels")
def test_on_one_class_alone_it_is_the_rule_of_mapie() -> None:
    """MAPIE has no class-conditional sets; on the cases of one class its marginal ones must be the same."""
    probs, target = drawn(900, 2)
    fresh = drawn(200, 3)[0]
    found = fit_conformal(probs, target, 0.9)
    for k in range(3):
        own = target == k
        mapie = SplitConformalClassifier(Given().fit(probs, target), confidence_level=0.9, conformity_score="lac")
        mapie.conformalize(probs[own], target[own])
        sets = mapie.predict_set(fresh)[1][:, :, 0]
        np.testing.assert_array_equal(found.sets(fresh)[:, k], sets[:, k])


def test_a_class_with_too_few_cases_is_always_in_the_set() -> None:
    probs, target = drawn(100, 4)
    few = np.concatenate([np.flatnonzero(target != 2), np.flatnonzero(target == 2)[:8]])
    found = fit_conformal(probs[few], target[few], 0.9)
    assert (found.thresholds[2], found.cases[2]) == (0.0, 8)
    assert found.sets(np.array([[1.0, 0.0, 0.0]]))[0, 2]


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_a_level_that_promises_nothing_or_too_much_is_refused(level: float) -> None:
    with pytest.raises(DataError, match="above 0 and below 1"):
        fit_conformal(*drawn(30, 5), level)
