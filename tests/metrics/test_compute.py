from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.metrics.bootstrap import draw_group_counts
from busight.metrics.compute import ScoredCases, compute_metrics
from busight.metrics.mask_scores import MASK_SCORES


def random_cases(seed: int, n_cases: int) -> ScoredCases:
    rng = np.random.default_rng(seed)
    target = np.append(rng.integers(3, size=n_cases - 3), [0, 1, 2])
    # Rounded probabilities give ties, half of the rows lean towards the truth.
    probs = rng.integers(1, 5, size=(n_cases, 3)) + 3.0 * (rng.random((n_cases, 1)) < 0.5) * np.eye(3)[target]
    overlap = np.where(target == 0, np.nan, rng.random(n_cases))
    share = rng.random(n_cases)
    probs /= probs.sum(1, keepdims=True)
    names = ("normal", "benign", "malignant")
    masks = dict(zip(MASK_SCORES, rng.random((n_cases, len(MASK_SCORES))).T, strict=True))
    masks["lesions_annotated"] = np.where(target == 0, np.nan, rng.integers(1, 3, n_cases))
    masks["lesion_true_positives"] = np.where(target == 0, np.nan, rng.integers(0, 2, n_cases))
    masks["dice"] = overlap
    masks["hd95_px"] = np.where(overlap < 0.3, np.nan, overlap)
    masks["predicted_area_fraction"] = share
    masks["annotated_area_fraction"] = np.where(target == 0, 0.0, share)
    return ScoredCases(target, probs, names, 2, (1, 2), masks)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n_cases=st.integers(6, 60), n_groups=st.integers(2, 30))
def test_weighted_metrics_equal_those_of_physically_resampled_cases(seed: int, n_cases: int, n_groups: int) -> None:
    cases = random_cases(seed, n_cases)
    rng = np.random.default_rng(seed)
    group_of_case = rng.integers(n_groups, size=n_cases)
    weights = draw_group_counts(n_groups, 4, rng)[:, group_of_case]
    weighted = compute_metrics(cases, weights)
    for row, counts in enumerate(weights):
        if counts.sum() == 0:
            assert np.isnan(weighted["accuracy", "overall"][row])
            continue
        sample = cases.select(np.repeat(np.arange(n_cases), counts.astype(int)))
        by_copy = compute_metrics(sample, np.ones(len(sample.target)))
        if (sample.support == 0).any():
            # The cases had this class: a resample that lost it must not average over the others only.
            assert np.isnan(weighted["balanced_accuracy", "overall"][row])
            by_copy["balanced_accuracy", "overall"] = np.array(np.nan)
        assert list(by_copy) == list(weighted)
        for name, expected in by_copy.items():
            np.testing.assert_allclose(weighted[name][row], expected, atol=1e-12, err_msg=str(name))
