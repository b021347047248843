from __future__ import annotations

import numpy as np
import pytest
from calibration_parts import adaptive_ece, brier_parts
from sklearn import metrics


def test_adaptive_bins_hold_equally_many_cases() -> None:
    """Four sure cases, one of them wrong, and two unsure ones, one wrong: two bins of three."""
    sure, unsure = [0.9, 0.1], [0.6, 0.4]
    probs = np.array([sure, sure, sure, sure, unsure, unsure])
    target = np.array([0, 0, 0, 1, 0, 1])
    # Low bin: both unsure ones and the first sure one, right 2 of 3, confidence 2.1; high bin: right 2 of 3, 2.7.
    assert adaptive_ece(target, probs, bins=2) == pytest.approx((abs(2 - 2.1) + abs(2 - 2.7)) / 6)


def test_brier_parts_add_up_where_each_bin_holds_one_value() -> None:
    rng = np.random.default_rng(0)
    probs = rng.choice([0.1, 0.3, 0.55, 0.95], 500)
    positive = rng.random(500) < probs**1.5
    found = brier_parts(positive, probs)
    whole = metrics.brier_score_loss(positive, probs)
    assert found.reliability - found.resolution + found.uncertainty == pytest.approx(whole)
