from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from busight.decision.conformal import ConformalSets
from busight.errors import BundleError
from busight.model.bundle.card import card_digest
from busight.model.bundle.load import load_bundle
from busight.model.bundle.save import write_card
from busight.model.model import Model


def reseal(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the card and give it a fitting digest: what a careful forger would do."""
    document = json.loads((folder / "card.json").read_text())
    change(document)
    document["digest"] = card_digest(document)
    (folder / "card.json").write_text(json.dumps(document))


def test_a_sound_bundle_opens_from_its_own_and_from_the_runs_folder(bundle_copy: Path) -> None:
    assert load_bundle(bundle_copy).card.classify is not None
    assert load_bundle(bundle_copy.parent).folder == bundle_copy


@pytest.mark.parametrize(
    "name",
    ["classifier.onnx", "segmenter.onnx", "weights.safetensors", "graph-examples.npz", "examples.npz", "features.npz"],
)
def test_one_changed_byte_is_noticed(bundle_copy: Path, name: str) -> None:
    content = bytearray((bundle_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle_copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name}: changed since the bundle was made"):
        load_bundle(bundle_copy)


def test_a_changed_card_is_noticed(bundle_copy: Path) -> None:
    text = (bundle_copy / "card.json").read_text()
    changed = text.replace('"prevalence": 0.', '"prevalence": 0.1')
    assert changed != text
    (bundle_copy / "card.json").write_text(changed)
    with pytest.raises(BundleError, match=r"card\.json: changed since the bundle was made"):
        load_bundle(bundle_copy)


def test_another_format_is_refused(bundle_copy: Path) -> None:
    reseal(bundle_copy, lambda card: card.update(format=7, something_new=1))
    with pytest.raises(BundleError, match="bundle format 7, this version reads 6; update busight"):
        load_bundle(bundle_copy)
    reseal(bundle_copy, lambda card: card.update(format=2))
    with pytest.raises(BundleError, match="bundle format 2, this version reads 6; train it anew"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("path", ["../secret.onnx", "/etc/passwd", "a/../../b", "unknown.bin"])
def test_a_path_that_leaves_the_folder_is_refused(bundle_copy: Path, path: str) -> None:
    reseal(bundle_copy, lambda card: card["files"].update({path: "0" * 64}))
    with pytest.raises(BundleError, match="is not part of a bundle"):
        load_bundle(bundle_copy)


def test_a_link_out_of_the_folder_is_refused(bundle_copy: Path) -> None:
    (bundle_copy / "classifier.onnx").rename(bundle_copy.parent / "elsewhere.onnx")
    (bundle_copy / "classifier.onnx").symlink_to(bundle_copy.parent / "elsewhere.onnx")
    with pytest.raises(BundleError, match=r"classifier\.onnx: missing from the bundle"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "not a bundle"), ("{", "not JSON"), ("[]", "not a card"), ('{"format": 6}', "not a card of format 6")],
)
def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "card.json").write_text(content)
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_in_the_card_is_refused(bundle_copy: Path) -> None:
    reseal(bundle_copy, lambda card: card.update(treshold=0.5))
    with pytest.raises(BundleError, match="treshold"):
        load_bundle(bundle_copy)


def detector(**changed: Any) -> dict[str, Any]:
    fitted = {
        "mean": [0, 0],
        "deviation": [1, 1],
        "precision": [[1, 0], [0, 1]],
        "weights": [1, 1, 0, 0, 1],
        "limit": 3,
    }
    return {**fitted, "seam": 2, "black": 0.8, "coloured": 0.02, **changed}


def descriptor_model(**changed: Any) -> dict[str, Any]:
    return {"names": ["shape: oval"], "mean": [0], "deviation": [1], "weights": [1], "offset": 0} | changed


def calibrator(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda card: card["decision"]["calibration"].update(calibrator=fields)


def decision(part: str, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda card: card["decision"][part].update(fields)


NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(format="6"), "not a card of format 6"),
        (lambda card: card["labels"].update(names=["benign", "malignant"]), "'normal' is not one of the classes"),
        (lambda card: card["labels"].update(names=["benign", "normal", "malignant", "x"]), "are not of 4 classes"),
        (lambda card: card.update(task="guess"), "task: Input should be"),
        (lambda card: card.update(strategy="guess"), "classify.strategy 'guess': known: "),
        (lambda card: card.update(strategy="joint"), r"classifier\.onnx: its inputs or outputs are not"),
        (lambda card: card["classify"]["input"].update(size=32), r"classifier\.onnx: its inputs or outputs are not"),
        (lambda card: card["segment"]["input"].update(size=32), r"segmenter\.onnx: its inputs or outputs are not"),
        (lambda card: card["preprocess"].update(chain="sharpen(3)"), "no filter 'sharpen'"),
        (lambda card: card["algorithms"].update(proposal="0"), "another version of proposal; use busight"),
        (lambda card: card["algorithms"].update(magic="1"), "another version of magic"),
        (lambda card: card.update(inverse_temperatures=[1.0, 1.0]), r"needs classifier-member-1\.onnx"),
        (decision("fusion", weight=NAN), "decision.fusion.weight: Input should be"),
        (decision("fusion", weight=-1), "decision.fusion.weight: Input should be"),
        (calibrator(method="temperature", temperature=0), "decision.calibration.calibrator.temperature.temperature"),
        (calibrator(method="vector", scale=[1, 1], offset=[0, 0]), "not of 3 classes"),
        (calibrator(method="beta", curves=[[1, 1, 0]]), "not of 3 classes"),
        (calibrator(method="isotonic", raw=[[0.1]] * 3, calibrated=[[]] * 3), "its calibrated one"),
        (decision("calibration", prevalence=0), "decision.calibration.prevalence: Input should be"),
        (decision("threshold", threshold=1.5), "decision.threshold.threshold: Input should be less than or equal to 1"),
        (decision("threshold", threshold="0.5"), "decision.threshold.threshold: Input should be a valid number"),
        (decision("threshold", threshold=True), "decision.threshold.threshold: Input should be a valid number"),
        (decision("calibration", cases=True), "decision.calibration.cases: Input should be a valid integer"),
        (decision("calibration", calibrated="yes"), "decision.calibration.calibrated: Input should be a valid boolean"),
        (lambda card: card.update(onnx_max_abs_diff="0"), "onnx_max_abs_diff: Input should be a valid number"),
        (lambda card: card.update(format=True), "bundle format True|not a card of format 4"),
        (lambda card: card["classify"]["input"].update(size=True), r"classify\.input\.size: Input should be"),
        (lambda card: card["segment"]["roi"].update(margin="0.2"), r"segment\.roi\.margin: Input should be"),
        (lambda card: card["training"].update(images=1.5), r"training\.images: Input should be a valid integer"),
        (decision("threshold", sensitivity=-0.1), "decision.threshold.sensitivity: Input should be"),
        (lambda card: card["labels"].update(positive=None), "a threshold is of the positive class"),
        (decision("conformal", thresholds=[0.1, 0.1, 1.2]), "decision.conformal.thresholds.2: Input should be"),
        (decision("ood", neighbours=10**9), "decision.ood.neighbours: Input should be"),
        (decision("ood", feature_limit=3), "decision.ood.feature_limit: Input should be"),
        (lambda card: card.update(inverse_temperatures=[-1.0]), "inverse_temperatures.0: Input should be"),
        (decision("conformal", thresholds=[0.1]), "sets are not of 3 classes"),
        (decision("conformal", thresholds=[0.1, 0.1, NAN]), "decision.conformal.thresholds.2: Input should be"),
        (decision("ood", appearance=detector(weights=[1])), "two weights for each statistic"),
        (decision("ood", appearance=detector(seam=0)), "the limits of a detector's layout are above 0"),
        (decision("ood", appearance=detector(limit=NAN)), "decision.ood.appearance.limit: Input should be"),
        (decision("ood", appearance=detector(precision=[[-1, 0], [0, -1]])), "symmetric and positive definite"),
        (decision("ood", appearance=detector(deviation=[0, 1])), "deviations above 0"),
        (decision("ood", appearance=detector()), "has 19 means, one for each statistic of an image"),
        (decision("fusion", model=descriptor_model(weights=[])), "a weight for each name"),
        (decision("fusion", model=descriptor_model(offset=float("inf"))), "decision.fusion.model.offset: Input"),
    ],
)
def test_a_card_that_does_not_fit_its_graphs_is_refused(
    bundle_copy: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    reseal(bundle_copy, change)
    with pytest.raises(BundleError, match=message) as caught:
        Model.load(bundle_copy)
    assert "\n" not in str(caught.value)


def test_weights_in_another_file_are_refused(bundle_copy: Path) -> None:
    graph = onnx.load(bundle_copy / "classifier.onnx")
    onnx.save(
        graph, bundle_copy / "classifier.onnx", save_as_external_data=True, location="other.bin", size_threshold=0
    )
    digest = hashlib.sha256((bundle_copy / "classifier.onnx").read_bytes()).hexdigest()
    reseal(bundle_copy, lambda card: card["files"].update({"classifier.onnx": digest}))
    with pytest.raises(BundleError, match="its weights lie in another file, which is not read"):
        Model.load(bundle_copy)


def test_features_that_fill_the_memory_are_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "features.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        array = io.BytesIO()
        np.lib.format.write_array_header_1_0(array, {"descr": "<f2", "fortran_order": False, "shape": (150_000, 1024)})
        with archive.open("features.npy", "w") as member:
            member.write(array.getvalue())
            for _ in range(300):
                member.write(bytes(1024 * 1024))
    reseal(
        bundle_copy, lambda card: card["files"].update({"features.npz": hashlib.sha256(path.read_bytes()).hexdigest()})
    )
    with pytest.raises(BundleError, match="arrays of 315 MB, at most 268 MB are read"):
        Model.load(bundle_copy)


def test_a_changed_card_is_validated_before_it_is_written(bundle_copy: Path) -> None:
    card = load_bundle(bundle_copy).card
    with pytest.raises(ValidationError, match="not of 3 classes"):
        card.changed(decision=card.decision.model_copy(update={"conformal": ConformalSets(0.9, (0.1,), (3,))}))
    unchecked = card.model_copy(update={"onnx_max_abs_diff": -1.0})
    with pytest.raises(ValidationError, match="onnx_max_abs_diff"):
        write_card(bundle_copy, unchecked)
    assert load_bundle(bundle_copy).card == card


def with_graph(folder: Path, content: bytes) -> None:
    (folder / "classifier.onnx").write_bytes(content)
    reseal(folder, lambda card: card["files"].update({"classifier.onnx": hashlib.sha256(content).hexdigest()}))


@pytest.mark.parametrize("content", [b"", b"junk", bytes(range(256)) * 20, None])
def test_a_file_that_is_no_graph_is_refused(
    bundle_copy: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        content = (bundle_copy / "classifier.onnx").read_bytes()[:-5000]
    with_graph(bundle_copy, content)
    with pytest.raises(BundleError, match=r"ONNX Runtime cannot run it .*; get the bundle again$"):
        Model.load(bundle_copy)
    assert capfd.readouterr().err == ""


def test_a_graph_for_a_newer_runtime_is_refused_with_another_remedy(
    bundle_copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = onnx.load(bundle_copy / "classifier.onnx")
    newer, unknown = onnx.ModelProto(), onnx.ModelProto()
    newer.CopyFrom(sound)
    newer.opset_import[0].version = 99
    unknown.CopyFrom(sound)
    unknown.graph.node[0].op_type = "NotYetThere"
    for graph in (newer, unknown):
        with_graph(bundle_copy, graph.SerializeToString())
        with pytest.raises(BundleError, match=r"ONNX Runtime cannot run it .*; update onnxruntime$"):
            Model.load(bundle_copy)
    assert capfd.readouterr().err == ""


def test_a_card_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("[" * 200_000)
    with pytest.raises(BundleError, match="not JSON"):
        load_bundle(tmp_path)
