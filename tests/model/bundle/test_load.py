from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from busight.errors import BundleError
from busight.model.bundle.card import card_digest
from busight.model.bundle.load import load_bundle
from busight.model.opening import open_predictor


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
    "name", ["classifier.onnx", "segmenter.onnx", "weights.safetensors", "examples.npz", "memory.npz"]
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


def test_a_newer_format_is_refused(bundle_copy: Path) -> None:
    reseal(bundle_copy, lambda card: card.update(format=3, something_new=1))
    with pytest.raises(BundleError, match="bundle format 3 is newer than 2; update busight"):
        load_bundle(bundle_copy)


def test_a_bundle_of_format_1_predicts_as_it_did(bundle_copy: Path) -> None:
    """It knew one temperature, and neither prediction sets nor gates."""
    new = open_predictor(load_bundle(bundle_copy))

    def as_before(card: dict[str, Any]) -> None:
        card["format"] = 1
        for name in ("conformal", "gate"):
            del card[name]
        part = card["calibration"]
        temperature = part.pop("numbers")[0][0] if part["method"] == "temperature" else 1.0
        del part["prevalence"]
        part["temperature"] = temperature

    reseal(bundle_copy, as_before)
    old = open_predictor(load_bundle(bundle_copy))
    image = np.tile(np.arange(80, dtype=np.uint8), (80, 1))
    before, after = old.predict(image), new.predict(image)
    np.testing.assert_array_equal(before.calibrated_probs, after.calibrated_probs)
    assert (before.prediction_set, before.refused) == (None, None)


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
    [(None, "not a bundle"), ("{", "not JSON"), ("[]", "not a card"), ('{"format": 1}', "not a card of format 2")],
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


def gate(**changed: Any) -> dict[str, Any]:
    return {"mean": [0, 0], "deviation": [1, 1], "precision": [[1, 0], [0, 1]], "limit": 3} | changed


def reader(**changed: Any) -> dict[str, Any]:
    return {"names": ["shape: oval"], "mean": [0], "deviation": [1], "weights": [1], "offset": 0} | changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(format="2"), "not a card of format 2"),
        (lambda card: card["classify"].update(classes=["benign", "normal", "malignant"]), "is not known"),
        (lambda card: card["classify"].update(task="guess"), "is not known"),
        (lambda card: card["classify"]["input"].update(size=32), r"classifier\.onnx: its inputs or outputs are not"),
        (lambda card: card["segment"]["input"].update(size=32), r"segmenter\.onnx: its inputs or outputs are not"),
        (lambda card: card.update(enhance="sharpen(3)"), "no filter 'sharpen'"),
        (lambda card: card["classify"].update(reader=float("nan")), "classify.reader: Input should be"),
        (lambda card: card["classify"].update(reader=-1), "classify.reader: Input should be"),
        (lambda card: card["calibration"].update(method="temperature", numbers=[[]]), "one number above 0"),
        (lambda card: card["calibration"].update(method="vector", numbers=[[1, 1], [0, 0]]), "not of 3 classes"),
        (lambda card: card["calibration"].update(method="beta", numbers=[[1, 1, 0]]), "not of 3 classes"),
        (lambda card: card["calibration"].update(method="isotonic", numbers=[[0.1], []] * 3), "not of 3 classes"),
        (lambda card: card["calibration"].update(prevalence=0), "calibration.prevalence: Input should be"),
        (lambda card: card["conformal"].update(least_probs=[0.1]), "sets are not of 3 classes"),
        (lambda card: card["gate"].update(image=gate(limit=0)), "a limit above 0"),
        (lambda card: card["gate"].update(image=gate(limit=float("nan"))), "gate.image.limit: Input should be"),
        (lambda card: card["gate"].update(image=gate(deviation=[0, 1])), "deviations above 0"),
        (lambda card: card["gate"].update(image=gate()), "another version's numbers"),
        (lambda card: card["reader"].update(reader=reader(weights=[])), "a weight for each name"),
        (lambda card: card["reader"].update(reader=reader(offset=float("inf"))), "reader.reader.offset: Input"),
    ],
)
def test_a_card_that_does_not_fit_its_graphs_is_refused(
    bundle_copy: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    reseal(bundle_copy, change)
    with pytest.raises(BundleError, match=message) as caught:
        open_predictor(load_bundle(bundle_copy))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_graph_is_refused(bundle_copy: Path, content: bytes) -> None:
    (bundle_copy / "classifier.onnx").write_bytes(content)
    reseal(bundle_copy, lambda card: card["files"].update({"classifier.onnx": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(BundleError, match="ONNX Runtime cannot run it"):
        open_predictor(load_bundle(bundle_copy))


def test_a_card_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("[" * 200_000)
    with pytest.raises(BundleError, match="not JSON"):
        load_bundle(tmp_path)


def test_a_bundle_of_before_a_field_was_added_can_be_opened(bundle_copy: Path) -> None:
    path = bundle_copy / "card.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["channels"], document["classify"]["guess"]
    document["digest"] = card_digest(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    card = load_bundle(bundle_copy).card
    assert card.channels == ()
    assert card.classify is not None
    assert card.classify.guess is False
