from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from busight.simulate import descriptors as module
from busight.simulate.case import patient_of
from busight.simulate.descriptors import (
    Descriptors,
    birads_category,
    draw_descriptors,
    draw_typical_descriptors,
    malignancy_log_odds,
)

SPIKY = Descriptors("irregular", "not parallel", "spiculated", "hypoechoic", "shadowing")
FIBROADENOMA = Descriptors("oval", "parallel", "circumscribed", "isoechoic", "no posterior features")
CYST = Descriptors("oval", "parallel", "circumscribed", "anechoic", "enhancement")


@pytest.mark.parametrize("table", ["_SHAPE", "_ORIENTATION", "_MARGIN", "_ECHO_PATTERN", "_POSTERIOR"])
def test_tables_are_distributions(table):
    columns = np.array(list(getattr(module, table).values()))
    np.testing.assert_allclose(columns.sum(axis=0), 1)


def test_log_odds_by_hand():
    prior = 0.27 / 0.56
    ratios = (0.71 / 0.22) * (0.51 / 0.12) * (0.14 / 0.01) * (0.64 / 0.51) * (0.32 / 0.09)
    assert malignancy_log_odds(SPIKY) == pytest.approx(np.log(prior * ratios))


@pytest.mark.parametrize(("words", "category"), [(None, 1), (CYST, 2), (FIBROADENOMA, 3), (SPIKY, 5)])
def test_birads_category(words, category):
    assert birads_category(words) == category


def test_classes_overlap_as_in_life():
    """A perfect reader of the true descriptors does well and not perfectly."""
    masses = [
        patient for patient in (patient_of(3, i) for i in range(4000)) if patient.descriptors and not patient.view
    ]
    odds = [max(-50.0, malignancy_log_odds(patient.descriptors)) for patient in masses]
    auroc = roc_auc_score([patient.label == "malignant" for patient in masses], odds)
    assert 0.90 < auroc < 0.96


def test_drawn_words_hang_together():
    rng = np.random.default_rng(0)
    drawn = [draw_descriptors(rng, finding) for finding in ("benign", "malignant") for _ in range(500)]
    assert all(words.orientation == "not parallel" for words in drawn if words.shape == "round")
    cysts = [words for words in drawn if words.echo_pattern == "anechoic"]
    assert cysts
    assert all(words.posterior == "enhancement" and words.margin == "circumscribed" for words in cysts)
    assert len({word for words in drawn for word in astuple(words)}) == 20


def test_normal_has_no_mass():
    with pytest.raises(ValueError, match="no mass"):
        draw_descriptors(np.random.default_rng(0), "normal")


def test_typical_masses_do_not_overlap_and_change_nothing_else():
    usual, typical = ([patient_of(3, index, share) for index in range(400)] for share in (0.0, 1.0))
    odds = {finding: set() for finding in ("benign", "malignant")}
    for before, after in zip(usual, typical, strict=True):
        assert (before.label, before.device, before.laterality) == (after.label, after.device, after.laterality)
        if after.descriptors is not None:
            odds[after.label].add(malignancy_log_odds(after.descriptors))
    assert max(odds["benign"]) < 0 < min(odds["malignant"])
    some = [patient_of(3, index, 0.5).descriptors for index in range(400)]
    changed = np.mean([one != other.descriptors for one, other in zip(some, usual, strict=True) if other.descriptors])
    assert 0.35 < changed < 0.65
    with pytest.raises(ValueError, match="no mass"):
        draw_typical_descriptors(np.random.default_rng(0), "normal")
