"""Networks that answer NaN, infinity, a wrong shape or no probability: never a diagnosis, always one line."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from golden_bundles import golden_model
from onnx import helper, numpy_helper
from tiny_network import write_graph
from typer.testing import CliRunner

from busight.cli.app import app
from busight.data.labels import BREAST
from busight.decision.conformal import ConformalSets
from busight.decision.decision import UNCALIBRATED, Decision, Threshold
from busight.errors import BundleError, InferenceError
from busight.experiments.tune_postprocess import decoder_probs
from busight.io.digests import sha256_of_file
from busight.metrics.activations import softmax
from busight.model.bundle.save import write_card
from busight.model.model import Model
from busight.types import Failure, Image, Prediction, Rejected

Bundles = Callable[[str, Path], Model]

BLACK: Image = np.zeros((80, 90), np.uint8)
GREY: Image = np.random.default_rng(0).integers(40, 200, (80, 90)).astype(np.uint8)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    """A function that copies a bundle of tiny fixed networks to a folder and loads it."""
    folder = tmp_path_factory.mktemp("golden")

    def copy(name: str, target: Path) -> Model:
        if not (folder / name).exists():
            golden_model(name, folder / name)
        return Model.load(Path(shutil.copytree(folder / name, target)))

    return copy


def faulty(model: Model, output: str, fault: str) -> Model:
    """Return a model whose graph with this output is faulty: for black images alone, or always for a shape."""
    path = next(
        path for path in sorted(model.folder.glob("*.onnx")) if output in {o.name for o in onnx.load(path).graph.output}
    )
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.output[:] = ["sound" if name == output else name for name in node.output]
        node.input[:] = ["sound" if name == output else name for name in node.input]
    value = {
        "NaN": [("Sub", 0.05), ("Log", None), ("Mul", 0.0)],
        "infinity": [("Sub", 0.05), ("Relu", None), ("Reciprocal", None), ("Mul", 1e-9)],
    }
    steps = value.get(fault, [("Mul", -10.0), ("Add", -3.0)])
    nodes = [helper.make_node("ReduceMean", ["images", "all_axes"], ["brightness"], keepdims=1)]
    graph.graph.initializer.append(numpy_helper.from_array(np.array([1, 2, 3]), "all_axes"))
    last = "brightness"
    for number, (operation, operand) in enumerate(steps):
        inputs = [last]
        if operand is not None:
            graph.graph.initializer.append(numpy_helper.from_array(np.float32(operand), f"operand{number}"))
            inputs.append(f"operand{number}")
        last = f"step{number}"
        nodes.append(helper.make_node(operation, inputs, [last]))
    if output in ("logits", "features"):
        graph.graph.initializer.append(numpy_helper.from_array(np.array([2, 3]), "map_axes"))
        nodes.append(helper.make_node("Squeeze", [last, "map_axes"], ["flat"]))
        last = "flat"
    nodes.append(helper.make_node("Add", ["sound", last], [output]))
    graph.graph.node.extend(nodes)
    path.write_bytes(graph.SerializeToString())
    return resealed(model, path)


def resealed(model: Model, path: Path) -> Model:
    card = model.card.changed(files={**model.card.files, path.name: sha256_of_file(path)})
    write_card(model.folder, card)
    return Model.load(model.folder)


@pytest.mark.parametrize("fault", ["NaN", "infinity"])
@pytest.mark.parametrize(
    ("bundle", "output"),
    [
        ("whole", "logits"),
        ("whole", "features"),
        ("whole", "activation"),
        ("whole-channels", "logits"),
        ("two-stage", "mask_probs"),
        ("masked", "mask_probs"),
        ("mask-channel", "mask_probs"),
        ("joint", "logits"),
        ("joint", "mask_probs"),
        ("global-local", "logits"),
        ("global-local-fused", "mask_probs"),
        ("global-local-fused", "logits"),
        ("malignancy", "logits"),
        ("segmentation", "mask_probs"),
    ],
)
def test_only_the_image_without_an_answer_fails(
    tmp_path: Path, bundles: Bundles, bundle: str, output: str, fault: str
) -> None:
    sound = bundles(bundle, tmp_path / "bundle")
    expected = sound.try_predict([GREY])[0]
    model = faulty(sound, output, fault)
    good, bad, again = model.try_predict([GREY, BLACK, GREY])
    assert isinstance(bad, Failure)
    assert "hold NaN or infinity; run busight verify" in bad.reason
    for answer in (good, again):
        assert type(answer) is type(expected)
        assert isinstance(answer, Prediction | Rejected)
    with pytest.raises(InferenceError, match="hold NaN or infinity"):
        model.predict([GREY, BLACK])


def test_probabilities_outside_their_range_are_no_mask(tmp_path: Path, bundles: Bundles) -> None:
    model = faulty(bundles("joint", tmp_path / "bundle"), "mask_probs", "range")
    (answer,) = model.try_predict([GREY])
    assert isinstance(answer, Failure)
    assert "mask probabilities are outside 0–1" in answer.reason
    with pytest.raises(InferenceError):
        decoder_probs(model)([GREY])


@pytest.mark.parametrize("form", ["json", "csv"])
def test_predict_keeps_a_record_with_the_error_and_exits_with_1(tmp_path: Path, bundles: Bundles, form: str) -> None:
    model = faulty(bundles("global-local-fused", tmp_path / "bundle"), "logits", "NaN")
    for name, image in (("a", GREY), ("black", BLACK), ("c", GREY)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    files = [str(tmp_path / f"{name}.png") for name in ("a", "black", "c")]
    found = CliRunner().invoke(
        app, ["predict", "--model", str(model.folder), *files, "--format", form, "--show-rejected"]
    )
    assert found.exit_code == 1
    assert found.stderr.count("no answer") == 1
    lines = found.stdout.splitlines()
    assert "NaN" not in lines[1 if form == "json" else 2].replace("hold NaN or infinity", "")
    if form == "json":
        records = [json.loads(line, parse_constant=pytest.fail) for line in lines]
        assert [record["label"] is None for record in records] == [False, True, False]
        assert "hold NaN or infinity" in records[1]["error"]
        assert records[1]["above_threshold"] is None


def test_segment_names_the_file_without_an_answer_and_goes_on(tmp_path: Path, bundles: Bundles) -> None:
    model = faulty(bundles("segmentation", tmp_path / "bundle"), "mask_probs", "NaN")
    for name, image in (("a", GREY), ("black", BLACK), ("c", GREY)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    files, out = [str(tmp_path / f"{name}.png") for name in ("a", "black", "c")], tmp_path / "out"
    for options in ([], ["--fallback-to-proposal"]):
        found = CliRunner().invoke(app, ["segment", *files, "--model", str(model.folder), *options, "--out", str(out)])
        assert found.exit_code == 1
        assert found.stderr.startswith(f"busight: {files[1]}: no answer, the network's ")
        assert "hold NaN or infinity" in found.stderr
        assert found.stderr.count("\n") == 1
        rows = [row for row in csv.DictReader((out / "lesions.csv").read_text().splitlines()) if row["error"]]
        assert [row["path"] for row in rows] == [files[1]]
        assert sorted(path.name for path in (out / "masks").iterdir()) == ["00001_a_0.png", "00003_c_0.png"]
        shutil.rmtree(out)


def test_a_graph_that_answers_another_shape_is_refused(
    tmp_path: Path, bundles: Bundles, capfd: pytest.CaptureFixture[str]
) -> None:
    model = bundles("whole", tmp_path / "bundle")
    path = model.folder / "classifier.onnx"
    sound = path.read_bytes()
    # A class more than the card has: refused when it is opened.
    write_graph(path, 1, classes=4, size=64)
    with pytest.raises(BundleError, match="not those that the card names"):
        resealed(model, path)
    # Two rows for each image: refused when it is run.
    path.write_bytes(sound)
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.output[:] = ["sound" if name == "logits" else name for name in node.output]
    graph.graph.node.append(helper.make_node("Concat", ["sound", "sound"], ["logits"], axis=0))
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(BundleError, match=r"its output logits is float32 \(2, 3\) for 1 inputs"):
        resealed(model, path).predict([GREY])
    assert capfd.readouterr().err == ""


def test_nan_never_compares_towards_the_harmless_answer() -> None:
    decision = Decision(
        calibration=UNCALIBRATED,
        threshold=Threshold(wanted_sensitivity=0.9, threshold=0.3, sensitivity=0.9, specificity=0.5, source=""),
        conformal=ConformalSets(0.9, (0.2, 0.2, 0.2), (30, 30, 30)),
    )
    unknown = np.full(3, np.nan)
    assert decision.above_threshold(unknown, BREAST) is True
    assert decision.prediction_set(unknown, BREAST) == BREAST.names
    assert np.isnan(softmax(unknown[None])).all()
