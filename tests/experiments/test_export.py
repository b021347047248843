"""Export to OpenVINO and int8: written where the answers agree on the validation images, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from busight.cli.app import app
from busight.errors import BundleError, DataError
from busight.experiments import export as module
from busight.experiments.export import ValidationSet, export, read_validation
from busight.model.bundle import openvino_graphs
from busight.model.bundle.load import load_bundle
from busight.model.bundle.save import write_card
from busight.model.engines.catalogue import EngineSettings
from busight.model.engines.instructions import has_int8_instructions
from busight.model.model import Model
from busight.types import prediction_of

Quick = Callable[..., Path]

needs_int8 = pytest.mark.skipif(not has_int8_instructions(), reason="the processor has no instructions for int8")


@pytest.fixture(scope="module")
def run(quick_run: Quick) -> Path:
    """The folder of a run whose bundle has a segmenter and a classifier."""
    return quick_run("demo")


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    """A copy of its bundle and split."""
    shutil.copytree(run / "bundle", tmp_path / "run" / "bundle")
    shutil.copy(run / "split.json", tmp_path / "run")
    return tmp_path / "run"


def validation(model: Model, folder: Path) -> ValidationSet:
    import tomllib

    return read_validation(model, tomllib.loads(model.card.training.recipe)["data"]["spec"], folder / "split.json")


def probs(model: Model, given: ValidationSet) -> np.ndarray:
    return np.array([prediction_of(answer).calibrated_probs for answer in model.predict(given.images)])


@needs_int8
def test_every_target_is_written_measured_and_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command line, as a user types it; then each engine answers as its card says."""
    # The tiny networks that were hardly trained are near ties: on so few images one other label is too many.
    monkeypatch.setattr(module, "SAME_LABEL", 0.5)
    monkeypatch.setattr(module, "MAX_AUROC_DIFF", 0.5)
    result = CliRunner().invoke(app, ["export", str(folder), "--to", "int8,openvino,fp16"])
    assert result.exit_code == 0, result.output
    model = Model.load(folder)
    given = validation(model, folder)
    expected = probs(model, given)
    assert set(model.card.exports) == {"openvino", "fp16", "int8"}
    for target, part in model.card.exports.items():
        found = probs(Model.load(folder, EngineSettings(target)), given)
        assert part.images == len(given.images)
        assert float(np.abs(found - expected).max()) == pytest.approx(part.max_prob_diff, abs=1e-5)
        assert float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()) == part.same_label
        for stem in ("classifier", "segmenter"):
            assert (folder / "bundle" / f"{stem}.{target}.xml").is_file()
    assert model.card.exports["openvino"].max_prob_diff <= 1e-4
    assert model.card.exports["int8"].float_share == 0
    assert model.card.exports["fp16"].same_label == 1
    size = {name: (folder / "bundle" / f"classifier.{name}.bin").stat().st_size for name in model.card.exports}
    assert size["int8"] < size["fp16"] < size["openvino"]
    verified = CliRunner().invoke(app, ["verify", str(folder)])
    assert verified.exit_code == 0, verified.output
    assert {line.partition(":")[0] for line in verified.output.splitlines()} >= {"onnxruntime", "openvino", "int8"}


def test_a_target_is_made_anew(folder: Path) -> None:
    model = Model.load(folder)
    given = validation(model, folder)
    first = export(model, ["openvino"], given)
    again = export(Model.load(folder), ["openvino"], given)
    assert again.exports == first.exports
    assert load_bundle(folder).card == again
    assert not list((folder / "bundle").glob(".export-*"))


def test_weights_that_the_card_does_not_name_are_not_read(folder: Path) -> None:
    model = Model.load(folder)
    card = export(model, ["openvino"], validation(model, folder))
    files = {name: digest for name, digest in card.files.items() if name != "classifier.openvino.bin"}
    write_card(folder / "bundle", card.changed(files=files))
    with pytest.raises(BundleError, match=r"the card needs classifier\.openvino\.bin, but has no such file"):
        Model.load(folder, EngineSettings("openvino"))


def test_a_graph_that_is_too_far_away_is_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.load(folder)
    before = {path.name: path.read_bytes() for path in (folder / "bundle").iterdir()}
    monkeypatch.setattr(module, "MAX_PROB_DIFF", -1.0)
    with pytest.raises(BundleError, match=r"openvino is too far from the ONNX graph, nothing was written: .* images"):
        export(model, ["openvino"], validation(model, folder))
    assert {path.name: path.read_bytes() for path in (folder / "bundle").iterdir()} == before


@needs_int8
def test_more_layers_stay_in_single_precision_until_the_answers_agree(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []
    write = openvino_graphs.write_int8_graph

    def recording(graph: Path, path: Path, inputs: list[np.ndarray], float_share: float) -> None:
        tried.append(float_share)
        write(graph, path, inputs, float_share)

    monkeypatch.setattr(module, "write_int8_graph", recording)
    monkeypatch.setattr(module, "FLOAT_SHARES", (0.0, 0.3))
    monkeypatch.setattr(module, "_agrees", lambda part, target: part.float_share == 0.3)
    model = Model.load(folder)
    card = export(model, ["int8"], validation(model, folder))
    assert sorted(set(tried)) == [0.0, 0.3]
    assert card.exports["int8"].float_share == 0.3


def test_other_images_or_splits_are_refused(folder: Path, tmp_path: Path) -> None:
    model = Model.load(folder)
    split = json.loads((folder / "split.json").read_text(encoding="utf-8"))
    with pytest.raises(DataError, match="another image than"):
        read_validation(model, "phantom:60,size=64,seed=77", folder / "split.json")
    split["digest"] = "0" * 64
    (tmp_path / "other.json").write_text(json.dumps(split), encoding="utf-8")
    with pytest.raises(DataError, match=r"other\.json"):
        read_validation(model, "phantom:60,size=64,seed=7", tmp_path / "other.json")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--to", "tensorrt"], "'tensorrt' is no target; known: openvino, fp16, int8"),
        (["--to", ""], "is no target"),
        (["--to", "openvino", "--split", "nowhere.json"], "name the split of its training by --split"),
    ],
)
def test_a_wrong_call_is_one_line(folder: Path, arguments: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["export", str(folder), *arguments])
    assert result.exit_code == 2 or result.exit_code == 1
    assert reason in result.output.replace("\n", " ")
    assert "Traceback" not in result.output
