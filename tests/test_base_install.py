"""Commands in an interpreter without PyTorch, and in one without the libraries of any extra."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from golden_bundles import golden_model

from busight.cli.extras import EXTRAS
from busight.data.sources.catalogue import load_data
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import CLASSIFIER, GRAPH_EXAMPLES
from busight.model.bundle.finish import finished
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.preprocess.resize import as_network_input
from busight.recipes.load import load_recipe, recipe_toml

DATA = "phantom:12,size=64"
TRAINING = ("torch", "torchvision", "timm", "lightning", "kornia", "segmentation_models_pytorch")
FOLDS = ("fold-1", "fold-2")
OPTIONAL = tuple(sorted({module for modules in EXTRAS.values() for module in modules}))

SCRIPT = """
import json, sys, traceback
blocked, calls = json.loads(sys.argv[1]), json.loads(sys.argv[2])

class Without:
    # Finds nothing of a blocked library, as if it were not installed; all else as before.
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in blocked else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
from typer.testing import CliRunner
from busight.cli.app import app

answers = []
for call in calls:
    sys.argv = ["busight", *call]
    found = CliRunner().invoke(app, call)
    crash = found.exception is not None and not isinstance(found.exception, SystemExit)
    text = "".join(traceback.format_exception(found.exception)) if crash else ""
    answers.append((found.exit_code, found.output + text))
print(json.dumps(answers))
"""


def called(folder: Path, blocked: Sequence[str], calls: Sequence[Sequence[object]]) -> list[tuple[int, str]]:
    """Return exit code and output of each call, all in one fresh interpreter without some libraries."""
    words = [[str(word) for word in call] for call in calls]
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(blocked), json.dumps(words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return [(code, said) for code, said in json.loads(found.stdout.splitlines()[-1])]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle of a tiny fixed network and one image."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "bundle").mkdir()
    model = golden_model("global-local", folder / "bundle")
    training = model.card.training.model_copy(update={"recipe": recipe_toml(load_recipe("demo", []))})
    files = {**model.card.files, GRAPH_EXAMPLES: write_graph_examples(model.folder)}
    finished(model.with_card(model.card.changed(training=training, files=files)))
    data = load_data(DATA)
    cv2.imwrite(str(folder / "image.png"), data.reader.image(data.samples[0]))
    return folder


def write_graph_examples(folder: Path) -> str:
    """Write what the classifier's graph answers, as an export does, and return the digest."""
    engine = OnnxRuntimeEngine(folder / CLASSIFIER)
    given = np.random.default_rng(0).integers(0, 255, (2, *engine.input_shape[1:]), np.uint8)
    outputs = engine.run(as_network_input(given))
    arrays = {"classifier.images": given, **{f"classifier.{name}": values for name, values in outputs.items()}}
    np.savez_compressed(folder / GRAPH_EXAMPLES, **arrays)
    return sha256_of_file(folder / GRAPH_EXAMPLES)


def test_every_command_that_does_not_train_runs_without_pytorch(place: Path) -> None:
    calls = [
        ["evaluate", "bundle", "--data", DATA, "--out", "scores"],
        ["compare", "scores", "scores"],
        ["data", "list"],
        ["data", "preview", DATA, "--number", "4"],
        ["data", "audit", DATA, "--out", "audit"],
        ["predict", "--model", "bundle", "image.png", "--overlays", "overlays"],
        ["verify", "bundle"],
        ["segment", "image.png", "--model", "bundle", "--out", "outlines"],
        ["segment", "image.png", "--method", "otsu", "--out", "otsu"],
        ["enhance", "image.png", "--chain", "median(3) | clahe(2.0)", "--out", "enhanced"],
        ["explain", "--model", "bundle", "image.png", "--show-rejected", "--out", "page"],
        ["card", "bundle", "--out", "card"],
        ["recipes"],
        ["doctor"],
    ]
    for call, (code, said) in zip(calls, called(place, TRAINING, calls), strict=True):
        assert code == 0, (call, said)
    assert (place / "scores" / "report.html").is_file()


def test_an_ensemble_is_made_in_the_base_install(place: Path) -> None:
    # Two folds of a cross-validation: the same network, scored on images of its own.
    rng = np.random.default_rng(0)
    for fold in FOLDS:
        for label in ("benign", "malignant", "normal"):
            (place / fold / label).mkdir(parents=True)
            for number in range(2):
                image = rng.integers(0, 255, (64, 64), np.uint8)
                cv2.imwrite(str(place / fold / label / f"{fold}-{number}.png"), image)
    scored = [["evaluate", "bundle", "--data", f"folder:{fold}", "--out", f"cv/repeat-1/{fold}"] for fold in FOLDS]
    assert [code for code, _ in called(place, OPTIONAL, scored)] == [0, 0]
    for fold in FOLDS:
        shutil.copytree(place / "bundle", place / "cv" / "repeat-1" / fold / "bundle")
    (place / "cv" / "plan.json").write_text(json.dumps({"folds": 2, "repeats": 1, "by": "group", "left_out": []}))
    calls = [["ensemble", "cv", "--out", "ensemble"], ["predict", "--model", "ensemble", "image.png"]]
    for call, (code, said) in zip(calls, called(place, OPTIONAL, calls), strict=True):
        assert code == 0, (call, said)


def test_the_base_install_predicts_and_evaluates(place: Path) -> None:
    calls = [
        ["--help"],
        ["predict", "--model", "bundle", "image.png", "--overlays", "overlays-base"],
        ["evaluate", "bundle", "--data", DATA, "--out", "scores-base"],
        ["compare", "scores-base", "scores-base"],
        ["verify", "bundle"],
        ["segment", "image.png", "--model", "bundle", "--out", "outlines-base"],
        ["enhance", "image.png", "--chain", "median(3) | clahe(2.0)", "--out", "enhanced-base"],
        ["data", "list"],
        ["recipes"],
        ["doctor"],
    ]
    answers = called(place, OPTIONAL, calls)
    for call, (code, said) in zip(calls, answers, strict=True):
        assert code == 0, (call, said)
    assert 'the report needs pip install "busight[report]"' in answers[2][1]
    assert {"cases.csv", "metrics.json"} <= {path.name for path in (place / "scores-base").iterdir()}


def test_a_missing_extra_is_one_line_that_names_it(place: Path) -> None:
    calls = {
        "report": ["explain", "--model", "bundle", "image.png", "--show-rejected", "--out", "page-base"],
        "audit": ["data", "audit", "phantom:60,size=64", "--out", "audit-base"],
        "filters": ["enhance", "image.png", "--chain", "wavelet(1)", "--out", "wavelet-base"],
        "train": ["run", "demo", "--out", "run-base"],
    }
    answers = called(place, OPTIONAL, list(calls.values()))
    for (extra, call), (code, said) in zip(calls.items(), answers, strict=True):
        assert code == 2, (call, said)
        last = said.strip().splitlines()[-1]
        assert last.startswith("busight: "), (call, said)
        assert last.endswith(f'pip install "busight[{extra}]"'), (call, said)
        assert "Traceback" not in said


@pytest.mark.slow
def test_each_extra_is_enough_for_what_it_promises(place: Path) -> None:
    """With one extra alone: what another brings too must not be needed."""
    calls = {
        "report": [
            ["evaluate", "bundle", "--data", DATA, "--out", "scores-report"],
            ["explain", "--model", "bundle", "image.png", "--show-rejected", "--out", "page-report"],
            ["card", "bundle", "--out", "card-report"],
            ["data", "preview", DATA, "--number", "4", "--out", "report.png"],
        ],
        "filters": [["enhance", "image.png", "--chain", "wavelet(1)", "--out", "wavelet-filters"]],
        "audit": [["data", "audit", "phantom:60,size=64", "--out", "audit-audit"]],
    }
    # scikit-image brings SciPy, Matplotlib does not.
    beside = {"report": set(), "filters": {"scipy", "matplotlib"}, "audit": set()}
    for extra, of_extra in calls.items():
        blocked = sorted(set(OPTIONAL) - set(EXTRAS[extra]) - beside[extra])
        for call, (code, said) in zip(of_extra, called(place, blocked, of_extra), strict=True):
            assert code == 0, (extra, call, said)
    assert (place / "scores-report" / "report.pdf").is_file()
