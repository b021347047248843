from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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
    assert "examples: 8 replayed from end to end, largest difference 0" in output


def test_another_answer_is_one_line_and_exit_code_1(bundle_copy: Path) -> None:
    """Examples forged with fitting digests, as if the code had changed since the bundle was made."""
    path = bundle_copy / "examples.npz"
    with np.load(path, allow_pickle=False) as saved:
        arrays = {name: saved[name] for name in saved.files}
    arrays["3.calibrated_probs"] = arrays["3.calibrated_probs"][::-1].copy()
    np.savez_compressed(path, **arrays)
    document = json.loads((bundle_copy / "card.json").read_text())
    document["files"]["examples.npz"] = sha256_of_file(path)
    document["digest"] = card_digest(document)
    (bundle_copy / "card.json").write_text(json.dumps(document))
    code, output = call("verify", bundle_copy)
    assert (code, output.count("\n")) == (1, 1), output
    assert "answers its own examples otherwise than when it was made" in output


def test_what_is_no_bundle_is_one_line(tmp_path: Path) -> None:
    code, output = call("verify", tmp_path)
    assert (code, output.count("\n")) == (1, 1)
    assert "not a bundle" in output
