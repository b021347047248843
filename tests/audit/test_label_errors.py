from __future__ import annotations

import numpy as np
import pytest
from cleanlab.rank import get_normalized_margin_for_each_label
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.audit.label_errors import label_issues
from busight.errors import DataError


def written_out(target: np.ndarray, probs: np.ndarray, margin: float) -> set[int]:
    """The rule case by case."""
    issues = set()
    for index, (p, y) in enumerate(zip(probs, target, strict=True)):
        if any(p[j] - p[y] > margin for j in set(target.tolist())):
            issues.add(index)
    return issues


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 60), margin=st.sampled_from([0.0, 0.3, 0.5]))
def test_equals_the_rule_written_out(seed: int, n: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    target, probs = rng.integers(3, size=n), rng.dirichlet(np.ones(3), n)
    found = label_issues(target, probs, margin)
    assert set(found.index.tolist()) == written_out(target, probs, margin)
    assert (found.suggested != target[found.index]).all()
    ahead = found.self_confidence - probs[found.index, found.suggested]
    assert (np.diff(ahead) >= 0).all()
    np.testing.assert_array_equal(found.self_confidence, probs[found.index, target[found.index]])


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(6, 60))
def test_margins_and_order_are_cleanlabs(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    target, probs = np.arange(n) % 3, rng.dirichlet(np.ones(3), n)
    ahead = 1 - 2 * get_normalized_margin_for_each_label(target, probs)
    found = label_issues(target, probs, 0.25)
    assert found.index.tolist() == sorted(np.flatnonzero(ahead > 0.25).tolist(), key=lambda case: -ahead[case])


def test_planted_errors_are_found_where_a_network_is_good() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(600) % 3
    logits = rng.normal(size=(600, 3)) + 6 * np.eye(3)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = truth.copy()
    wrong = rng.choice(600, 30, replace=False)
    label[wrong] = (label[wrong] + 1) % 3
    found = label_issues(label, probs)
    hits = set(found.index.tolist()) & set(wrong.tolist())
    assert len(hits) >= 29
    assert len(hits) / len(found.index) >= 0.9
    assert (found.suggested == truth[found.index]).mean() > 0.9


def test_a_class_without_labels_is_never_suggested() -> None:
    probs = np.array([[0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    found = label_issues(np.array([0, 0, 1]), probs)
    assert 2 not in found.suggested


def test_no_cases_are_refused() -> None:
    with pytest.raises(DataError, match="no cases"):
        label_issues(np.array([], dtype=np.int64), np.zeros((0, 3)))
