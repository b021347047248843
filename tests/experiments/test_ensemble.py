from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from quick import QUICK

from busight.data.sources.catalogue import load_data
from busight.decision.calibration.temperature import Temperature
from busight.decision.fusion import DescriptorFusion
from busight.descriptors.lexicon import lesion_features
from busight.descriptors.model import DescriptorModel, descriptor_inputs
from busight.errors import BundleError, DataError, OutputError
from busight.experiments.crossval import crossval
from busight.experiments.ensemble import ensemble_card, make_ensemble
from busight.experiments.evaluate import evaluate
from busight.model.bundle.examples import replay
from busight.model.bundle.load import load_bundle
from busight.model.bundle.save import write_card
from busight.model.model import Model
from busight.recipes.load import load_recipe
from busight.results.crossval_folder import Plan, fold_folder
from busight.types import DescriptorEvidence, Image, Mask, prediction_of

SPEC = "phantom:120,size=96"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ensemble") / "crossval"
    overrides = [
        f"data.spec='{SPEC}'",
        *QUICK,
        "classify.strategy=joint",
        "classify.backbone=mobilenetv3_small_050",
        "train.epochs=1",
        "split.val=0.4",
    ]
    crossval(load_recipe("demo", overrides), out, Plan(folds=2))
    return out


def test_an_ensemble_gives_the_mean_of_its_members(done: Path, tmp_path: Path) -> None:
    make_ensemble(done, tmp_path / "ensemble")
    ensemble = Model.load(tmp_path / "ensemble")
    members = [Model.load(fold_folder(done, 0, fold)) for fold in range(2)]
    factors = ensemble.card.inverse_temperatures
    assert factors == tuple(1 / temperature(member) for member in members)
    assert factors[0] != factors[1]
    assert replay(ensemble) == 0
    images = phantoms(3)
    for image, found in zip(images, map(prediction_of, ensemble.predict(images)), strict=True):
        singly = [prediction_of(member.predict([image])[0]) for member in members]
        wanted = np.mean([one.network_logits * f for one, f in zip(singly, factors, strict=True)], axis=0)
        np.testing.assert_allclose(found.network_logits, wanted, atol=1e-5)
        np.testing.assert_allclose(found.calibrated_probs, found.raw_probs)
        mean_mask = np.mean([one.mask_probs for one in singly if one.mask_probs is not None], axis=0)
        assert found.mask_probs is not None
        np.testing.assert_allclose(found.mask_probs, mean_mask, atol=1e-5)
        assert found.features is None


def temperature(model: Model) -> float:
    calibrator = model.decision.calibration.calibrator
    return calibrator.temperature if isinstance(calibrator, Temperature) else 1.0


def phantoms(count: int) -> list[Image]:
    data = load_data(f"phantom:{count},seed=9,size=96")
    return [data.reader.image(sample) for sample in data.samples]


def test_the_descriptor_model_weighs_as_much_in_an_ensemble_as_in_its_members(done: Path) -> None:
    """A model that always says the same: what differs is its weight behind each member's temperature."""
    names = tuple(descriptor_inputs(lesion_features(*_drawn_lesion())))
    nothing = (0.0,) * len(names)
    model = DescriptorModel(names, nothing, (1.0,) * len(names), nothing, 2.0)
    fusion = DescriptorFusion(model=model, weight=0.5, lexicon="", source="made by hand")
    cards = [load_bundle(fold_folder(done, 0, fold)).card for fold in range(2)]
    fused = [card.changed(decision=card.decision.model_copy(update={"fusion": fusion})) for card in cards]
    together = ensemble_card(fused, (0.5, 0.8), {}).decision.fusion
    assert together is not None
    assert together.weight == pytest.approx(0.5 * 0.65)
    evidence = DescriptorEvidence(0.8, (), np.zeros((2, 2), bool), from_proposal=False)
    logits = np.array([0.1, 0.2, 0.3])
    alone = [fusion.fuse(logits, (1, 2), evidence) * factor for factor in (0.5, 0.8)]
    np.testing.assert_allclose(together.fuse(logits * 0.65, (1, 2), evidence), np.mean(alone, axis=0))
    without = [fused[0], cards[1].changed(decision=cards[1].decision.model_copy(update={"fusion": None}))]
    assert ensemble_card(without, (1.0, 1.0), {}).decision.fusion is None


def _drawn_lesion() -> tuple[Image, Mask]:
    mask = np.zeros((96, 96), dtype=bool)
    mask[30:60, 25:70] = True
    return np.where(mask, np.uint8(40), np.uint8(120)), mask


def test_an_ensemble_has_seen_what_its_members_saw(done: Path, tmp_path: Path) -> None:
    make_ensemble(done, tmp_path / "ensemble")
    record = evaluate(Model.load(tmp_path / "ensemble"), SPEC, tmp_path / "same")
    assert "120 of the 120 images are among those that the bundle was trained or tuned on" in record.warnings[0]
    unseen = evaluate(Model.load(tmp_path / "ensemble"), "phantom:12,seed=9,size=96", tmp_path / "other")
    assert unseen.warnings == ()
    assert load_bundle(tmp_path / "ensemble").card.metrics == ()


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
    preprocess = bundle.card.preprocess.model_copy(update={"chain": "equalize()"})
    write_card(bundle.folder, bundle.card.changed(preprocess=preprocess))
    with pytest.raises(BundleError, match="was made by another recipe than"):
        make_ensemble(copy, tmp_path / "out")
