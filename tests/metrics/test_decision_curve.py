from __future__ import annotations

import numpy as np
import pytest

from busight.errors import DataError
from busight.metrics.decision_curve import decision_curve


def test_a_case_worked_by_hand() -> None:
    """Four cases, two with cancer. At 0.25 one needless biopsy weighs a third of a found cancer: (2 − 1/3) / 4."""
    probs, positive = np.array([0.9, 0.3, 0.6, 0.1]), np.array([True, True, False, False])
    curve = decision_curve(probs, positive, np.array([0.25, 0.5]))
    assert curve.model.tolist() == pytest.approx([(2 - 1 / 3) / 4, (1 - 1) / 4])
    assert curve.treat_all.tolist() == pytest.approx([(2 - 2 / 3) / 4, 0.0])


def test_another_prevalence_is_the_same_cases_weighed() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(300) < 100
    probs = np.clip(rng.normal(0.3 + 0.3 * positive, 0.2), 0, 1)
    threshold = np.array([0.1, 0.3])
    rare = decision_curve(probs, positive, threshold, prevalence=1 / 11)
    # Each negative five times: 100 of 1,100.
    many = np.concatenate([probs[positive], np.tile(probs[~positive], 5)])
    again = decision_curve(many, np.arange(1100) < 100, threshold)
    np.testing.assert_allclose(rare.model, again.model)
    np.testing.assert_allclose(rare.treat_all, again.treat_all)


def test_what_has_no_curve_is_refused() -> None:
    probs, positive = np.array([0.2, 0.4]), np.array([True, False])
    with pytest.raises(DataError, match="above 0 and below 1"):
        decision_curve(probs, positive, np.array([0.0]))
    with pytest.raises(DataError, match="positive and negative"):
        decision_curve(probs, np.array([True, True]), np.array([0.5]))
