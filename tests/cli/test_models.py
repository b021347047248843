from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from quick import call

from busight.data.sources.catalogue import load_data
from busight.model import installed
from busight.model.model import Model

Quick = Callable[..., Path]
WHOLE = ("classify.strategy=whole",)


@pytest.fixture
def mine(quick_run: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own models with one named mine."""
    models = tmp_path / "models"
    shutil.copytree(quick_run("demo", WHOLE) / "bundle", models / "mine")
    monkeypatch.setenv(installed.FOLDER_VARIABLE, str(models))
    return models / "mine"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    code, said = call("data", "sample", "--out", tmp_path / "sample.png")
    assert code == 0, said
    assert "no model was trained on it" in said
    return tmp_path / "sample.png"


def test_a_model_of_ones_own_is_found_by_its_name(mine: Path, picture: Path, tmp_path: Path) -> None:
    code, said = call("models")
    assert code == 0, said
    assert "mine" in said
    assert "normal, benign, malignant; trained on" in said
    code, said = call("predict", picture, "--model", "mine", "--show-rejected")
    assert code == 0, said
    assert json.loads(said.splitlines()[-1])["label"] in ("normal", "benign", "malignant")
    assert Model.load("mine").card.digest == Model.load(mine).card.digest
    code, said = call("verify", "mine")
    assert code == 0, said
    code, said = call("predict", picture, "--model", "mime")
    assert (code, "no installed model of this name; did you mean mine?" in said) == (1, True), said


def test_a_damaged_model_is_listed_as_such(mine: Path) -> None:
    (mine / "classifier.onnx").write_bytes(b"changed")
    code, said = call("models")
    assert (code, "cannot be used: " in said, "changed since the bundle was made" in said) == (1, True, True), said


def test_without_any_model_the_remedy_is_told(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_SHIPPED", "nothing")
    monkeypatch.delenv(installed.FOLDER_VARIABLE, raising=False)
    for arguments in (("predict", picture), ("explain", picture), ("segment", picture, "--out", tmp_path / "out")):
        code, said = call(*arguments)
        assert (code, "busight-base: no model is installed" in said, said.count("\n")) == (1, True, 1), said
    assert call("models") == (1, "no model is installed: this installation came without busight-base; "
                                 "BUSIGHT_MODELS names more\n")  # fmt: skip
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "card.json").touch()
    monkeypatch.setenv(installed.FOLDER_VARIABLE, str(tmp_path / "one"))
    code, said = call("models")
    assert (code, "one: is a model itself; name the folder that it lies in" in said) == (1, True), said
    monkeypatch.setenv(installed.FOLDER_VARIABLE, str(tmp_path / "absent"))
    code, said = call("models")
    assert (code, "absent: no such folder; make it, or unset the variable" in said) == (1, True), said


def test_a_bundle_among_the_images_is_told_to_be_one(mine: Path, picture: Path) -> None:
    code, said = call("predict", "mine", picture)
    assert (code, "mine: is a model, not an image; name it with --model" in said) == (2, True), said
    code, said = call("predict", mine, picture)
    assert (code, "is a model, not an image; name it with --model" in said) == (2, True), said


def test_a_sample_of_each_kind_and_wrong_ones(tmp_path: Path) -> None:
    images = []
    for label in ("normal", "benign", "malignant"):
        code, said = call("data", "sample", "--label", label, "--out", tmp_path / f"{label}.png")
        assert code == 0, said
        images.append(cv2.imread(str(tmp_path / f"{label}.png"), cv2.IMREAD_UNCHANGED))
    assert {image.shape for image in images} == {(512, 512)}
    assert call("data", "sample", "--out", tmp_path / "normal.png")[0] == 1
    assert call("data", "sample", "--label", "cyst")[0] == 2
    assert call("data", "sample", "--out", tmp_path / "a.jpg")[0] == 2


def test_recalibration_leaves_the_network_and_moves_the_probabilities(mine: Path, tmp_path: Path) -> None:
    before = Model.load("mine")
    spec = "phantom:60,size=96,seed=77"
    code, said = call("recalibrate", "mine", "--data", spec, "--out", tmp_path / "new")
    assert code == 0, said
    assert re.search(r"images: \d+ of \d+ cases \(\d+ normal", said)
    assert "threshold now:" in said
    assert "temperature times" in said
    after = Model.load(tmp_path / "new")
    assert after.card.files["classifier.onnx"] == before.card.files["classifier.onnx"]
    image = load_data(spec).reader.image(load_data(spec).samples[0])
    one, other = (model.predict([image], explain=False)[0] for model in (before, after))
    one, other = (getattr(answer, "withheld", answer) for answer in (one, other))
    np.testing.assert_allclose(one.logits, other.logits)
    assert not np.allclose(one.calibrated_probs, other.calibrated_probs)
    assert call("verify", tmp_path / "new")[0] == 0
    assert {row.metric for row in after.card.metrics} <= {row.metric for row in before.card.metrics}
    assert "ece" not in {row.metric for row in after.card.metrics}
    assert after.card.name == "demo, recalibrated"
    code, said = call("recalibrate", tmp_path / "new", "--data", spec, "--out", tmp_path / "again")
    assert (code, "was trained, tuned or recalibrated on" in said) == (1, True), said


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "phantom:12,size=96,seed=77",
            "of 10 patients or groups of near-duplicates",
        ),
        ("own", "images are among those that"),
        ("nosuch:x", "nosuch"),
    ],
)
def test_data_that_cannot_recalibrate_are_one_line(mine: Path, tmp_path: Path, spec: str, words: str) -> None:
    own = Model.load("mine").card.training.recipe
    named = next(line for line in own.splitlines() if line.startswith("spec = ")).partition('"')[2].rstrip('"')
    code, said = call("recalibrate", "mine", "--data", named if spec == "own" else spec, "--out", tmp_path / "new")
    assert (code in (1, 2), words in said) == (True, True), said
    assert said.strip().splitlines()[-1].startswith("busight: ")
    assert not (tmp_path / "new").exists()
