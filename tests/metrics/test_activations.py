from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from busight.metrics.activations import PROB_MARGIN, clip_probs, expit, log_softmax, logit, softmax

FINITE = st.floats(-1e6, 1e6)


@given(arrays(np.float64, (3, 4), elements=FINITE))
def test_softmax_and_expit_equal_scipys(logits: np.ndarray) -> None:
    np.testing.assert_allclose(softmax(logits), special.softmax(logits, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(log_softmax(logits), special.log_softmax(logits, axis=-1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(expit(logits), special.expit(logits), rtol=1e-9)


@given(st.floats(PROB_MARGIN, 1 - PROB_MARGIN))
def test_logit_equals_scipys_and_is_undone_by_expit(prob: float) -> None:
    assert logit(prob) == pytest.approx(special.logit(prob), rel=1e-9, abs=1e-12)
    assert expit(logit(prob)) == pytest.approx(prob, rel=1e-9)


def test_certain_probabilities_keep_finite_log_odds() -> None:
    assert logit(np.array([0.0, 1.0])).tolist() == pytest.approx([-np.log(1e7), np.log(1e7)], rel=1e-6)
    assert clip_probs([0.0, 0.25, 1.0]).tolist() == [1e-7, 0.25, 1 - 1e-7]
    # The largest probability below 1 that float32 has stays what it is.
    assert clip_probs(np.nextafter(np.float32(1), np.float32(0))) <= 1 - PROB_MARGIN
