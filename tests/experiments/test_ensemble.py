from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick import QUICK

from busight.data.sources.catalogue import load
from busight.descriptors.lexicon import lesion_numbers
from busight.descriptors.model import SecondReader, reader_inputs
from busight.errors import BundleError, DataError, OutputError
from busight.experiments.crossval import crossval
from busight.experiments.ensemble import ensemble_card, make_ensemble
from busight.experiments.evaluate import evaluate
from busight.model.bundle.card import ReaderPart
from busight.model.bundle.load import load_bundle
from busight.model.bundle.merge import logit_scale
from busight.model.opening import open_predictor
from busight.recipes.load import load_recipe
from busight.results.crossval_folder import Plan, fold_folder
from busight.types import Image, Mask

SPEC = "phantom:120,size=96"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ensemble") / "crossval"
    overrides = [
        f"data.spec='{SPEC}'",
        *QUICK,
        "classify.lesion=joint",
        "classify.backbone=mobilenetv3_small_050",
        "train.epochs=1",
        "split.val=0.4",
    ]
    crossval(load_recipe("demo", overrides), out, Plan(folds=2))
    return out


def test_an_ensemble_says_the_mean_of_its_members(done: Path, tmp_path: Path) -> None:
    card = make_ensemble(done, tmp_path / "ensemble")
    assert card.parity < 1e-5
    together = open_predictor(load_bundle(tmp_path / "ensemble"))
    members = [open_predictor(load_bundle(fold_folder(done, 0, fold))) for fold in range(2)]
    temperatures = [member.card.calibration.numbers[0][0] for member in members]
    assert temperatures[0] != temperatures[1]
    data = load("phantom:3,seed=9,size=96")
    for sample in data.samples:
        image = data.reader.image(sample)
        found, singly = together.predict(image), [member.predict(image) for member in members]
        wanted = np.mean([one.logits / t for one, t in zip(singly, temperatures, strict=True)], axis=0)
        np.testing.assert_allclose(found.logits, wanted, atol=1e-5)
        np.testing.assert_allclose(found.calibrated_probs, found.raw_probs)
        mean_mask = np.mean([one.mask_probs for one in singly if one.mask_probs is not None], axis=0)
        assert found.mask_probs is not None
        np.testing.assert_allclose(found.mask_probs, mean_mask, atol=1e-5)


def test_the_second_reader_weighs_as_much_in_an_ensemble_as_in_its_members(done: Path, tmp_path: Path) -> None:
    """A reader that always says the same: what differs is its weight behind each member's temperature."""
    names = tuple(reader_inputs(lesion_numbers(*_drawn_lesion())))
    nothing = (0.0,) * len(names)
    reader = ReaderPart(reader=SecondReader(names, nothing, (1.0,) * len(names), nothing, 2.0), source="made by hand")
    members = [load_bundle(fold_folder(done, 0, fold)) for fold in range(2)]
    asked = []
    for member in members:
        assert member.card.classify is not None
        classify = member.card.classify.model_copy(update={"reader": 0.5})
        asked.append(replace(member, card=member.card.model_copy(update={"reader": reader, "classify": classify})))
    card = ensemble_card(asked, {}, 0.0)
    assert card.classify is not None
    make_ensemble(done, tmp_path / "ensemble")
    together = open_predictor(load_bundle(tmp_path / "ensemble"))
    joined = together.card.model_copy(update={"reader": card.reader, "classify": card.classify})
    data = load("phantom:2,seed=9,size=96")
    for sample in data.samples:
        image = data.reader.image(sample)
        found = replace(together, card=joined).predict(image)
        assert found.second_reader is not None
        singly = [open_predictor(member).predict(image) for member in asked]
        wanted = [one.logits * logit_scale(member) for one, member in zip(singly, asked, strict=True)]
        np.testing.assert_allclose(found.logits, np.mean(wanted, axis=0), atol=1e-5)


def _drawn_lesion() -> tuple[Image, Mask]:
    mask = np.zeros((96, 96), dtype=bool)
    mask[30:60, 25:70] = True
    return np.where(mask, np.uint8(40), np.uint8(120)), mask


def test_an_ensemble_has_seen_what_its_members_saw(done: Path, tmp_path: Path) -> None:
    make_ensemble(done, tmp_path / "ensemble")
    record = evaluate(load_bundle(tmp_path / "ensemble"), SPEC, tmp_path / "same")
    assert "120 of the 120 images are among those that the bundle was trained or tuned on" in record.warnings[0]
    unseen = evaluate(load_bundle(tmp_path / "ensemble"), "phantom:12,seed=9,size=96", tmp_path / "other")
    assert unseen.warnings == ()
    assert load_bundle(tmp_path / "ensemble").card.scores == ()


def test_only_whole_cross_validations_become_an_ensemble(done: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the folder of a cross-validation"):
        make_ensemble(fold_folder(done, 0, 0), tmp_path / "out")
    copy = tmp_path / "copy"
    shutil.copytree(done, copy)
    shutil.copytree(fold_folder(done, 0, 0) / "bundle", tmp_path / "taken")
    with pytest.raises(OutputError, match="taken: exists already"):
        make_ensemble(done, tmp_path / "taken")
    (fold_folder(copy, 0, 1) / "bundle" / "examples.npz").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"examples.npz: changed since the bundle was made"):
        make_ensemble(copy, tmp_path / "out")
    (fold_folder(copy, 0, 1) / "metrics.json").unlink()
    with pytest.raises(DataError, match=r"fold-2: is not finished; go on with busight crossval --resume"):
        make_ensemble(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_members_of_two_recipes_are_refused(done: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(done, copy)
    bundle = load_bundle(fold_folder(copy, 0, 1))
    other = bundle.card.model_copy(update={"enhance": "equalize", "digest": ""}).sealed()
    (bundle.folder / "card.json").write_text(json.dumps(other.model_dump(mode="json")))
    with pytest.raises(BundleError, match="was made by another recipe than"):
        make_ensemble(copy, tmp_path / "out")
