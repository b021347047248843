from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from quick import QUICK, call

from busight.data.sources.catalogue import load_data
from busight.decision.fusion import described_region
from busight.errors import BundleError, DataError
from busight.experiments.run import run
from busight.model.bundle.save import write_card
from busight.model.explain.explained import explained
from busight.model.model import Model
from busight.preprocess.pipeline import parse_preprocess
from busight.recipes.load import load_recipe
from busight.report.pages.model_card import write_card_page
from busight.strategies.strategy import proposal_of
from busight.types import prediction_of

Quick = Callable[..., Path]
ZOOM = ("classify.strategy=global_local", "classify.backbone=mobilenetv3_small_050")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough phantoms that detectors, sets and descriptor model can be fitted; a sound network is not needed."""
    out = tmp_path_factory.mktemp("explain") / "run"
    settings = [one for one in QUICK if not one.startswith("train.epochs")]
    run(load_recipe("demo", ("data.spec='phantom:150,size=128'", *settings, *ZOOM, "train.epochs=6")), out)
    return out


@pytest.fixture
def phantom(tmp_path: Path) -> Path:
    data = load_data("phantom:150,size=128")
    sample = next(one for one in data.samples if str(one.label) == "benign")
    cv2.imwrite(str(tmp_path / "phantom.png"), data.reader.image(sample))
    return tmp_path / "phantom.png"


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "photograph.png"), skimage.data.camera())
    return tmp_path / "photograph.png"


def test_one_page_holds_everything(bundle: Path, phantom: Path, tmp_path: Path) -> None:
    code, said = call("explain", "--model", bundle, phantom, "--prevalence", "0.01", "--out", tmp_path / "page")
    assert code == 0, said
    page = (tmp_path / "page" / "report.html").read_text()
    for words in (
        "Prediction set",
        "calibrated probability 0.",
        "Threshold: malignant",
        "At a prevalence of malignant of 1.00%",
        "as measured on test images: PPV ",
        "BI-RADS descriptors of the lesion",
        "A logistic model of BI-RADS descriptors alone, of",
        "Similar training images",
    ):
        assert words in page, words
    assert (tmp_path / "page" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "page" / "figures" / "image.png").stat().st_size > 10_000
    assert "Research use only" in page


def test_similar_training_images_are_shown_where_they_are_at_hand(bundle: Path, phantom: Path, tmp_path: Path) -> None:
    data = "phantom:150,size=128"
    code, said = call("explain", "--model", bundle, phantom, "--training-data", data, "--out", tmp_path / "page")
    assert code == 0, said
    assert (tmp_path / "page" / "figures" / "similar-cases.png").stat().st_size > 10_000
    assert "The most similar training images" in (tmp_path / "page" / "report.html").read_text()
    folder = tmp_path / "others" / "benign"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "one.png"), np.full((64, 64), 90, np.uint8))
    other = f"folder:{folder.parent}"
    code, said = call("explain", "--model", bundle, phantom, "--training-data", other, "--out", tmp_path / "other")
    assert (code, "holds none of the training images" in said, said.count("\n")) == (1, True, 1), said
    assert not (tmp_path / "other").exists()


def test_other_images_of_the_same_names_are_not_shown(bundle: Path, phantom: Path, tmp_path: Path) -> None:
    data = "phantom:150,size=128,seed=9"
    code, said = call("explain", "--model", bundle, phantom, "--training-data", data, "--out", tmp_path / "out")
    assert (code, "holds none of the training images" in said) == (1, True), said


def test_predict_writes_a_page_an_image(bundle: Path, photograph: Path, phantom: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    code, said = call("predict", "--model", bundle, photograph, phantom, "--pages", pages, "--prevalence", "0.01")
    assert code == 0, said
    told = {page.parent.name: page.read_text() for page in pages.glob("*/report.html")}
    assert sorted(told) == ["00001_photograph_0", "00002_phantom_0"]
    assert "No prediction" in told["00001_photograph_0"]
    assert "At a prevalence of malignant of 1.00%" in told["00002_phantom_0"]
    for option in ("--pages", "--overlays"):
        code, said = call("predict", "--model", bundle, phantom, option, tmp_path / "one", "--out", tmp_path / "one")
        assert (code, "want the same place" in said, said.count("\n")) == (1, True, 1), said
        assert not (tmp_path / "one").exists()
    code, said = call("predict", "--model", bundle, phantom, "--prevalence", "0.01")
    assert (code, "name a folder for them" in said, said.count("\n")) == (1, True, 1), said


def test_descriptors_stand_where_a_lesion_is_outlined(bundle: Path) -> None:
    model = Model.load(bundle)
    assert model.decision.fusion is not None
    assert model.decision.fusion.model is not None
    data = load_data("phantom:150,size=128")
    answers = model.predict([data.reader.image(sample) for sample in data.samples[:25]], explain=True)
    cases = [explained(model, answer) for answer in answers]
    described = [case for case in cases if case.description is not None]
    assert described
    for case in described:
        assert case.prediction.descriptors is not None
        assert 0 <= case.prediction.descriptors.prob_positive <= 1
    assert all(case.undescribed for case in cases if case.description is None)
    # A training image finds itself, but for the rounding of its features.
    bank = model.bank
    assert bank is not None
    index = next(i for i, sample in enumerate(data.samples[:25]) if sample.sample_id in bank.sample_ids)
    first = cases[index].similar[0]
    assert (first.sample_id, first.likeness) == (data.samples[index].sample_id, pytest.approx(1, abs=1e-3))


def test_the_descriptor_model_is_asked_about_what_it_was_fitted_on(bundle: Path) -> None:
    """Also behind an enhancement chain, which changes where the lesion proposal lies."""
    model = Model.load(bundle)
    chained = replace(model, preprocess=parse_preprocess("clahe(4.0)"))
    fusion = model.decision.fusion
    assert fusion is not None
    assert fusion.model is not None
    data = load_data("phantom:150,size=128")
    images = [data.reader.image(sample) for sample in data.samples[:6]]
    described = 0
    for prepared, raw, answer in zip(*chained.infer(images), chained.predict(images, explain=True), strict=True):
        region = described_region(prepared.cropped, raw.mask, raw.mask_probs, proposal_of(prepared, raw))
        evidence = prediction_of(answer).descriptors
        assert (region is None) == (evidence is None)
        if region is not None and evidence is not None:
            inputs = np.array([[region.inputs[name] for name in fusion.model.names]])
            assert evidence.prob_positive == fusion.model.probs(inputs)[0]
            described += 1
    assert described


def test_a_bundle_of_another_lexicon_is_refused(bundle: Path, tmp_path: Path) -> None:
    model = Model.load(bundle).save(tmp_path / "copy")
    assert "lexicon" in model.card.algorithms
    write_card(model.folder, model.card.changed(algorithms={**model.card.algorithms, "lexicon": "0" * 64}))
    with pytest.raises(BundleError, match="was made with another version of lexicon"):
        Model.load(tmp_path / "copy")


def test_a_photograph_is_not_answered_unless_asked(bundle: Path, photograph: Path, tmp_path: Path) -> None:
    code, said = call("explain", "--model", bundle, photograph, "--out", tmp_path / "page")
    assert (code, "rejected: the image is unlike" in said) == (0, True), said
    page = (tmp_path / "page" / "report.html").read_text()
    assert "calibrated probability" not in page
    assert not re.search(r"\b(benign|malignant)\b", page.split("<body")[1])
    code, said = call("explain", "--model", bundle, photograph, "--show-rejected", "--out", tmp_path / "all")
    shown = (tmp_path / "all" / "report.html").read_text()
    assert "calibrated probability" in shown
    assert "The bundle rejects this image" in shown


def test_predict_shows_no_probabilities_of_a_refused_image(bundle: Path, photograph: Path, phantom: Path) -> None:
    code, said = call("predict", "--model", bundle, photograph, phantom)
    records = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    refused = next(one for one in records if one["path"].endswith("photograph.png"))
    other = next(one for one in records if one["path"].endswith("phantom.png"))
    assert code == 0
    assert "photograph.png: rejected: unlike the images" in said
    assert refused["rejected"].startswith("unlike")
    told = ("path", "frame", "model", "model_digest", "rejected")
    assert all(value is None for name, value in refused.items() if name not in told)
    assert list(refused) == list(other)
    assert (other["rejected"], other["error"]) == (None, None)
    assert set(other["prediction_set"]) <= {"normal", "benign", "malignant"}
    code, said = call("predict", "--model", bundle, photograph, "--show-rejected", "--format", "csv")
    assert code == 0
    assert re.search(r"0\.\d+", said.splitlines()[-1])


@pytest.mark.parametrize("prevalence", ["0", "1", "-0.2", "nan"])
def test_a_prevalence_of_0_or_1_is_refused(bundle: Path, phantom: Path, prevalence: str, tmp_path: Path) -> None:
    code, said = call("explain", "--model", bundle, phantom, "--prevalence", prevalence, "--out", tmp_path / "page")
    assert (code, "above 0 and below 1" in said, said.count("\n")) == (1, True, 1), said
    assert not (tmp_path / "page").exists()


def test_a_bundle_without_calibration_knows_no_prevalence(quick_run: Quick) -> None:
    model = Model.load(quick_run("demo", ("classify.strategy=whole",)))
    (answer,) = model.predict([np.full((64, 64), 80, np.uint8)])

    def with_calibration(**changed: Any) -> Model:
        calibration = model.decision.calibration.model_copy(update={"prevalence": None, **changed})
        decision = model.decision.model_copy(update={"calibration": calibration})
        return model.with_card(model.card.changed(decision=decision))

    with pytest.raises(DataError, match="its probabilities are not calibrated"):
        explained(with_calibration(calibrated=False), answer, 0.1)
    with pytest.raises(DataError, match="does not say how common its positive class was"):
        explained(with_calibration(calibrated=True), answer, 0.1)


def test_no_such_picture_and_no_such_frame(bundle: Path, phantom: Path, tmp_path: Path) -> None:
    for arguments, words in (((tmp_path / "no.png",), "no.png"), ((phantom, "--frame", "3"), "has no frame 3")):
        code, said = call("explain", "--model", bundle, *arguments, "--out", tmp_path / "page")
        assert (code, words in said, said.count("\n")) == (1, True, 1), said
        assert not (tmp_path / "page").exists()


def test_a_card_is_written_from_the_bundle(bundle: Path, tmp_path: Path) -> None:
    code, said = call("card", bundle, "--out", tmp_path / "card")
    assert code == 0, said
    page = (tmp_path / "card" / "report.html").read_text()
    for words in ("CLAIM 2024", "TRIPOD+AI", "OPEN", "Not for diagnosis", "Empirical coverage, benign"):
        assert words in page
    count = int(re.search(r"(\d+) items of the checklists are left open", said).group(1))  # type: ignore[union-attr]
    assert page.count(">OPEN<") >= count


@pytest.mark.parametrize(("recipe", "words"), [("[train", "holds no recipe"), ("train = 1", "lacks sections")])
def test_a_card_without_a_recipe_is_no_card(bundle: Path, tmp_path: Path, recipe: str, words: str) -> None:
    card = Model.load(bundle).card
    broken = card.model_copy(update={"training": card.training.model_copy(update={"recipe": recipe})})
    with pytest.raises(BundleError, match=words):
        write_card_page(broken, tmp_path / "card")
    assert not (tmp_path / "card").exists()


def test_explaining_needs_no_pytorch(bundle: Path, phantom: Path, tmp_path: Path) -> None:
    import sys

    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'lightning', 'timm', 'torchvision', 'kornia', 'captum'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"sys.argv = ['busight', 'explain', {str(phantom)!r}, '--model', {str(bundle)!r}, '--out', "
        f"{str(tmp_path / 'page')!r}]\n"
        "from busight.cli.app import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
