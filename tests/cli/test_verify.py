from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from busight.cli.app import app
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import card_digest


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_sound_bundle_is_replayed(bundle_copy: Path) -> None:
    code, output = call("verify", bundle_copy)
    assert code == 0, output
    assert "onnxruntime: 8 examples replayed from end to end, largest difference 0" in output
    assert output.endswith("verified: demo is unchanged and answers as it did where it was made\n")
    assert re.search(r"graphs: 2 replayed on their own examples, largest difference \de-0[4-9]\n", output), output


def reseal(folder: Path, name: str) -> None:
    """Give the card the digest of a forged file."""
    document = json.loads((folder / "card.json").read_text())
    document["files"][name] = sha256_of_file(folder / name)
    document["digest"] = card_digest(document)
    (folder / "card.json").write_text(json.dumps(document))


def forged(arrays: dict[str, np.ndarray], name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    arrays[name] = change(arrays[name])


DO_NOT_FIT = r"graph-examples\.npz: its examples do not fit classifier\.onnx"
OTHERWISE = r"classifier\.onnx: answers its own examples otherwise than when it was made \(by "


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: forged(arrays, "classifier.logits", lambda values: values + 0.1), OTHERWISE),
        (lambda arrays: forged(arrays, "classifier.logits", lambda values: values * np.float32("nan")), OTHERWISE),
        (lambda arrays: forged(arrays, "classifier.logits", lambda values: values[:, :1]), DO_NOT_FIT),
        (lambda arrays: forged(arrays, "classifier.images", lambda values: values[:, :8]), DO_NOT_FIT),
        (lambda arrays: forged(arrays, "classifier.images", lambda values: values[:0]), DO_NOT_FIT),
        (lambda arrays: arrays.pop("classifier.logits"), DO_NOT_FIT),
        (lambda arrays: arrays.pop("classifier.images"), DO_NOT_FIT),
        (lambda arrays: arrays.clear(), r"its examples are of other graphs than the bundle's"),
    ],
)
def test_forged_examples_of_a_graph_are_refused(
    bundle_copy: Path, change: Callable[[dict[str, np.ndarray]], object], message: str
) -> None:
    path = bundle_copy / "graph-examples.npz"
    with np.load(path, allow_pickle=False) as saved:
        arrays = {name: saved[name] for name in saved.files}
    change(arrays)
    np.savez_compressed(path, **arrays)
    reseal(bundle_copy, path.name)
    code, output = call("verify", bundle_copy)
    assert (code, output.count("\n")) == (1, 1), output
    assert re.search(message, output), output


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_examples_of_graphs_that_are_damaged_or_missing_are_refused(bundle_copy: Path, content: bytes | None) -> None:
    path = bundle_copy / "graph-examples.npz"
    if content is not None:
        path.write_bytes(content)
        reseal(bundle_copy, path.name)
    else:
        path.unlink()
        document = json.loads((bundle_copy / "card.json").read_text())
        del document["files"][path.name]
        document["digest"] = card_digest(document)
        (bundle_copy / "card.json").write_text(json.dumps(document))
    code, output = call("verify", bundle_copy)
    assert (code, output.count("\n")) == (1, 1), output
    assert "graph-examples.npz: not the examples of graphs" in output


def test_another_answer_is_one_line_and_exit_code_1(bundle_copy: Path) -> None:
    """Examples forged with fitting digests, as if the code had changed since the bundle was made."""
    path = bundle_copy / "examples.npz"
    with np.load(path, allow_pickle=False) as saved:
        arrays = {name: saved[name] for name in saved.files}
    arrays["3.calibrated_probs"] = arrays["3.calibrated_probs"][::-1].copy()
    np.savez_compressed(path, **arrays)
    reseal(bundle_copy, path.name)
    code, output = call("verify", bundle_copy)
    assert (code, output.count("\n")) == (1, 1), output
    assert "answers its own examples otherwise than when it was made" in output


def test_what_is_no_bundle_is_one_line(tmp_path: Path) -> None:
    code, output = call("verify", tmp_path)
    assert (code, output.count("\n")) == (1, 1)
    assert "not a bundle" in output
