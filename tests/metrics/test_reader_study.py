from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from van_dyke import RATINGS

from busight.errors import DataError
from busight.metrics.reader_study import compare_readings, compare_with_model, fleiss_kappa

SCORES = np.array([[[int(digit) for digit in reader] for reader in way] for way in RATINGS], dtype=np.float64)
POSITIVE = np.arange(114) >= 69


def test_a_published_study_gives_the_published_figures() -> None:
    """Smith and Hillis's MRMCaov prints these for the method of Obuchowski and Rockette with DeLong's covariances."""
    found = compare_readings(SCORES, POSITIVE)
    aurocs = [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066]
    np.testing.assert_allclose(found.auroc[0], aurocs, atol=5e-9)
    np.testing.assert_allclose(found.means, [0.89703704, 0.94083736], atol=5e-9)
    assert found.error_variance == pytest.approx(0.0007921325, abs=5e-11)
    assert found.covariances == pytest.approx((0.0003420090, 0.0003395265, 0.0002358497), abs=5e-11)
    assert found.difference == pytest.approx(0.04380032, abs=5e-9)
    assert found.standard_error == pytest.approx(0.0206825, abs=5e-8)
    assert found.degrees_of_freedom == pytest.approx(15.06611, abs=5e-6)
    assert found.p_value == pytest.approx(0.05123303, abs=5e-9)
    assert (found.low, found.high) == pytest.approx((-0.0002665519, 0.0878671960), abs=5e-9)


def test_readers_against_a_fixed_value_give_the_published_interval_of_one_treatment() -> None:
    """A model that is right by chance in every case has no variance: the interval is that of the readers alone."""
    found = compare_with_model(SCORES[0], np.zeros(114), POSITIVE)
    assert found.model == 0.5
    assert found.difference == pytest.approx(0.89703704 - 0.5, abs=5e-9)
    assert found.standard_error == pytest.approx(0.03307642, abs=5e-8)
    assert found.degrees_of_freedom == pytest.approx(12.59597, abs=5e-6)
    assert (found.low + 0.5, found.high + 0.5) == pytest.approx((0.8253461, 0.9687280), abs=5e-7)


def test_the_same_reading_twice_differs_by_nothing() -> None:
    found = compare_readings(np.stack([SCORES[0], SCORES[0]]), POSITIVE)
    assert (found.difference, found.p_value, found.low, found.high) == (0, 1, 0, 0)
    assert found.degrees_of_freedom == np.inf


def test_copies_of_cases_widen_the_interval_where_they_are_told() -> None:
    copied = np.concatenate([SCORES, SCORES], axis=2)
    positive, groups = np.concatenate([POSITIVE, POSITIVE]), [*range(114), *range(114)]
    told, untold = compare_readings(copied, positive, groups), compare_readings(copied, positive)
    assert told.standard_error > untold.standard_error
    assert told.standard_error == pytest.approx(compare_readings(SCORES, POSITIVE).standard_error, rel=0.03)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (SCORES[:, :1], "at least two readers"),
        (SCORES[0], "two ways of reading"),
        (SCORES[:, :, :70], "positive"),
    ],
)
def test_too_little_to_compare_is_one_line(scores: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        compare_readings(scores, POSITIVE[: scores.shape[-1]])
    with pytest.raises(DataError, match="at least two readers"):
        compare_with_model(SCORES[0][:1], np.zeros(114), POSITIVE)


def test_fleiss_kappa_of_his_own_example_form_by_hand() -> None:
    """Ten subjects, fourteen raters, five categories: the textbook table, whose kappa is 0.210."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = np.array([np.repeat(range(5), row) for row in table]).T
    assert fleiss_kappa(ratings) == pytest.approx(0.210, abs=5e-4)
    with pytest.raises(DataError, match="at least two readers"):
        fleiss_kappa(np.zeros((1, 4), int))


def test_two_readers_have_almost_cohens_kappa() -> None:
    ratings = np.random.default_rng(1).integers(0, 2, (2, 400))
    assert fleiss_kappa(ratings) == pytest.approx(cohen_kappa_score(*ratings), abs=0.02)
