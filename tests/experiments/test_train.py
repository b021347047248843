from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from quick import QUICK

from busight.data.manifest import build_manifest
from busight.data.resize import write_shrunk
from busight.data.sources.catalogue import load_data
from busight.data.split import Split
from busight.decision.settings import AssessSettings
from busight.errors import ConfigError, DataError, OutputError, WeightsError
from busight.experiments.compare import compare_runs
from busight.experiments.evaluate import evaluate
from busight.experiments.run import run
from busight.io.atomic import write_json
from busight.io.progress import Silent
from busight.model.bundle.load import load_bundle
from busight.model.model import Model
from busight.recipes.load import load_recipe

Quick = Callable[..., Path]
SPEC = "data.spec='phantom:60,size=96'"


class Interruption(Silent):
    """Stops a run the way a power cut would, at a wanted line."""

    def __init__(self, at: str) -> None:
        self.at = at

    def line(self, text: str) -> None:
        if self.at in text:
            raise RuntimeError(f"power cut at {text}")


def test_a_run_leaves_everything_that_it_promises(quick_run: Quick) -> None:
    out = quick_run("demo")
    names = {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and "tensorboard" not in str(path)
    }
    assert names == {
        "recipe.toml", "manifest.csv", "split.json", "labels.json", "cases.csv", "metrics.json",
        "bundle/card.json", "bundle/weights.safetensors", "bundle/classifier.onnx", "bundle/segmenter.onnx",
        "bundle/graph-examples.npz", "bundle/examples.npz", "bundle/features.npz",
        "training/segmenter/history.csv", "training/classifier/history.csv",
    }  # fmt: skip
    assert list(out.glob("training/classifier/tensorboard/events*"))


def test_weights_of_another_run_are_refused_where_they_have_seen_the_test_part(
    quick_run: Quick, tmp_path: Path
) -> None:
    """The same images under another seed: the donor was trained on what would now be tested."""
    flow = ("classify.strategy=whole",)
    donor = quick_run("demo", flow) / "bundle" / "weights.safetensors"
    settings = (*QUICK, *flow, f"classify.weights={donor}", "train.epochs=1")
    again = load_recipe("demo", (SPEC, *settings, "split.seed=7"))
    with pytest.raises(DataError, match=r"initial weights were trained on \d+ of the \d+ images"):
        run(again, tmp_path / "leak")
    other = load_recipe("demo", ("data.spec='phantom:60,size=96,seed=3'", *settings))
    record = run(other, tmp_path / "tuned")
    seen = load_bundle(tmp_path / "tuned").card.training.digests
    assert set(load_bundle(donor.parent).card.training.digests) < set(seen)
    assert "weights.safetensors" in record.weights


def test_metrics_follow_the_published_schema(quick_run: Quick) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "metrics.schema.json").read_text())
    jsonschema.validate(json.loads((quick_run("demo") / "metrics.json").read_text()), schema)


def test_cases_are_the_test_part_and_the_card_carries_their_scores(quick_run: Quick) -> None:
    out = quick_run("demo")
    with (out / "cases.csv").open(newline="") as stream:
        cases = list(csv.DictReader(stream))
    split = json.loads((out / "split.json").read_text())
    assert [case["sample_id"] for case in cases] == split["test"]
    card = load_bundle(out).card
    right = sum(case["target"] == case["prediction"] for case in cases) / len(cases)
    accuracy = next(score for score in card.metrics if score.metric == "accuracy")
    assert accuracy.value == pytest.approx(right)
    assert card.training.split_digest == split["digest"]
    assert card.training.data_digest == split["data_digest"]


@pytest.mark.slow
def test_a_run_that_was_cut_off_and_resumed_makes_the_same_bundle(quick_run: Quick, tmp_path: Path) -> None:
    recipe = load_recipe("demo", [SPEC, *QUICK])
    with pytest.raises(RuntimeError, match="power cut"):
        run(recipe, tmp_path / "cut", progress=Interruption("epoch 2/2"))
    run(recipe, tmp_path / "cut", resume=True)
    whole, resumed = load_bundle(quick_run("demo")).card, load_bundle(tmp_path / "cut").card
    assert resumed.files["weights.safetensors"] == whole.files["weights.safetensors"]
    assert resumed.metrics == whole.metrics
    assert resumed.decision == whole.decision


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        run(load_recipe("demo", [SPEC, *QUICK]), tmp_path / "cut", progress=Interruption("epoch 1/"))
    with pytest.raises(OutputError, match="begun with another recipe"):
        run(load_recipe("demo", [SPEC, *QUICK, "train.seed=1"]), tmp_path / "cut", resume=True)


def test_a_finished_run_is_neither_overwritten_nor_resumed(quick_run: Quick) -> None:
    out = quick_run("demo")
    recipe = load_recipe("demo", [SPEC, *QUICK])
    with pytest.raises(OutputError, match="never overwritten"):
        run(recipe, out)
    with pytest.raises(OutputError, match="nothing to resume"):
        run(recipe, out, resume=True)


def test_resuming_keeps_the_split_that_the_run_began_with(quick_run: Quick, tmp_path: Path) -> None:
    """A resumed run that made another split would test on images that trained the checkpoint."""
    given = quick_run("demo") / "split.json"
    recipe = load_recipe("demo", [SPEC, *QUICK, "split.seed=7"])
    with pytest.raises(RuntimeError, match="power cut"):
        run(recipe, tmp_path / "cut", split_file=given, progress=Interruption("epoch 1/"))
    run(recipe, tmp_path / "cut", resume=True)
    assert json.loads((tmp_path / "cut" / "split.json").read_text())["test"] == json.loads(given.read_text())["test"]


def _split_beside(given: Path, path: Path, **changed: object) -> Path:
    document = json.loads(given.read_text()) | changed
    split = Split(document["kind"], document["seed"], *(tuple(document[part]) for part in ("train", "val", "test")))
    write_json(path, document | {"digest": split.digest})
    return path


@pytest.mark.parametrize("short", [{"test": []}, {"val": []}, {"train": ["phantom-00001"]}])
def test_a_split_with_an_empty_part_is_refused_before_training(
    quick_run: Quick, tmp_path: Path, short: dict[str, list[str]]
) -> None:
    given = _split_beside(quick_run("demo") / "split.json", tmp_path / "short.json", **{"val": [], **short})
    with pytest.raises(DataError, match=r"too few images in a subset \(train \d+, val \d+, test \d+\)"):
        run(load_recipe("demo", [SPEC, *QUICK]), tmp_path / "out", split_file=given)
    assert not (tmp_path / "out").exists()


def test_a_split_of_other_data_with_the_same_names_is_told(quick_run: Quick, tmp_path: Path) -> None:
    given = _split_beside(quick_run("demo") / "split.json", tmp_path / "other.json", data_digest="0" * 64)
    with pytest.raises(RuntimeError, match=r"power cut at warning: .*other.json was made for other images"):
        run(load_recipe("demo", [SPEC, *QUICK]), tmp_path / "out", split_file=given, progress=Interruption("warning"))


def test_resuming_with_another_split_is_refused(quick_run: Quick, tmp_path: Path) -> None:
    recipe = load_recipe("demo", [SPEC, *QUICK, "split.seed=7"])
    with pytest.raises(RuntimeError, match="power cut"):
        run(recipe, tmp_path / "cut", progress=Interruption("epoch 1/"))
    with pytest.raises(OutputError, match="begun with another split"):
        run(recipe, tmp_path / "cut", split_file=quick_run("demo") / "split.json", resume=True)


def test_a_report_that_fails_costs_no_training(tmp_path: Path) -> None:
    recipe = load_recipe("demo", [SPEC, *QUICK])
    first = run(recipe, tmp_path / "out", keep_checkpoints=True)
    lines: list[str] = []

    class Listener(Silent):
        def line(self, text: str) -> None:
            lines.append(text)

    again = run(recipe, tmp_path / "out", resume=True, progress=Listener())
    assert not [line for line in lines if line.startswith("epoch")], "it trained again"
    assert repr(again.cases) == repr(first.cases)  # as text: an undefined Dice is NaN, which equals nothing
    assert not list((tmp_path / "out").glob("training/*/*.ckpt"))


def test_weights_that_cannot_be_had_are_noticed_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such safetensors file"):
        run(load_recipe("demo", [SPEC, *QUICK, "classify.weights=absent.safetensors"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_resuming_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no interrupted run"):
        run(load_recipe("demo", [SPEC, *QUICK]), tmp_path / "absent", resume=True)


def test_a_recipe_without_data_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data SPEC"):
        run(load_recipe("paper"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_under_torchrun_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"start this once, with --set train\.devices=N"):
        run(load_recipe("default", ["data.spec=phantom:9"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_split_of_one_run_can_be_given_to_another(quick_run: Quick, tmp_path: Path) -> None:
    first = quick_run("demo")
    recipe = load_recipe("demo", [SPEC, *QUICK, "classify.strategy=whole", "split.seed=7"])
    run(recipe, tmp_path / "again", split_file=first / "split.json")
    assert (tmp_path / "again" / "split.json").read_text() == (first / "split.json").read_text()


def test_evaluating_on_the_same_test_part_gives_the_same_metrics(quick_run: Quick, tmp_path: Path) -> None:
    from busight.results.metrics_file import read_metrics

    out = quick_run("demo")
    spec = "phantom:60,size=96"
    settings = load_recipe("demo", [*QUICK]).assess
    evaluate(Model.load(out), spec, tmp_path / "again", split_file=out / "split.json", settings=settings)
    assert read_metrics(tmp_path / "again" / "metrics.json").rows == read_metrics(out / "metrics.json").rows


def test_scoring_on_training_images_is_said_aloud(quick_run: Quick, tmp_path: Path) -> None:
    out = quick_run("demo")
    split = json.loads((out / "split.json").read_text())
    seen = len(split["train"]) + len(split["val"])
    # More images than the bundle knows: the ones that it was trained on are told by their pixels, not by the data set.
    record = evaluate(Model.load(out), "phantom:70,size=96", tmp_path / "all")
    assert record.limitations[0].startswith(
        f"{seen} of the 70 images are among those that the bundle was trained or tuned"
    )
    assert "--split" in record.limitations[0]


def test_a_data_set_without_labels_cannot_be_scored(quick_run: Quick, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8))
    (tmp_path / "samples.csv").write_text("path,label\na.png,\n")
    with pytest.raises(DataError, match="no labelled image to score"):
        evaluate(Model.load(quick_run("demo")), f"folder:{tmp_path}", tmp_path / "out")


def test_other_images_of_the_same_names_are_not_compared(quick_run: Quick, tmp_path: Path) -> None:
    model = Model.load(quick_run("demo", ("classify.strategy=whole",)))
    for name, spec in (("one", "phantom:12,size=96,seed=3"), ("other", "phantom:12,size=96,seed=4")):
        evaluate(model, spec, tmp_path / name, settings=AssessSettings(resamples=100))
    compare_runs(tmp_path / "one", tmp_path / "one")
    with pytest.raises(DataError, match=r"phantom-00000: another image in .*one than in .*other, under one name"):
        compare_runs(tmp_path / "one", tmp_path / "other")


def test_a_smaller_copy_is_the_same_data(quick_run: Quick, tmp_path: Path) -> None:
    model = Model.load(quick_run("demo", ("classify.strategy=whole",)))
    data = load_data("phantom:12,size=96,seed=3")
    write_shrunk(build_manifest(data), tmp_path / "small", 64)
    for name, spec in (("one", data.spec), ("small-scores", f"folder:{tmp_path / 'small'}")):
        evaluate(model, spec, tmp_path / name, settings=AssessSettings(resamples=100))
    assert compare_runs(tmp_path / "one", tmp_path / "small-scores").comparison.n_images == 12


def test_data_with_another_positive_class_are_scored_with_a_warning(quick_run: Quick, tmp_path: Path) -> None:
    model = Model.load(quick_run("demo", ("classify.strategy=whole",)))
    write_shrunk(build_manifest(load_data("phantom:12,size=96")), tmp_path / "data", 96)
    meaning = {"names": ["normal", "benign", "malignant"], "positive": "benign", "without_lesion": ["normal"]}
    (tmp_path / "data" / "labels.json").write_text(json.dumps(meaning))
    record = evaluate(model, f"folder:{tmp_path / 'data'}", tmp_path / "out", settings=AssessSettings(resamples=100))
    assert any("the data call benign the positive class, the model malignant" in text for text in record.warnings)
