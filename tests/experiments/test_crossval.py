from __future__ import annotations

import json
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from quick import QUICK
from sklearn.metrics import roc_auc_score

from busight.audit.checked_dataset import check_dataset
from busight.data.labels import BREAST
from busight.data.sources.catalogue import load_data
from busight.data.split_file import read_split
from busight.errors import BusightError, ConfigError, DataError, OutputError, WeightsError
from busight.experiments.audit import audit
from busight.experiments.compare import compare_runs
from busight.experiments.crossval import crossval
from busight.io.progress import Silent
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.results.cases_file import read_cases
from busight.results.crossval_folder import Plan, fold_folder, repeat_cases
from busight.results.store import is_finished

SPEC = "phantom:60,size=96,duplicates=0.1"
PLAN = Plan(folds=3, repeats=2)


def recipe(*more: str) -> Recipe:
    return load_recipe("demo", [f"data.spec='{SPEC}'", *QUICK, "classify.strategy=whole", "train.epochs=1", *more])


class Told(Silent):
    """Remembers what was said, and stops like a power cut before a wanted stage."""

    def __init__(self, cut: str = "") -> None:
        self.cut = cut
        self.lines: list[str] = []

    def stage(self, name: str) -> None:
        if self.cut and self.cut in name:
            raise RuntimeError(f"power cut at {name}")
        self.lines.append(name)

    def line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crossval") / "out"
    with pytest.raises(RuntimeError, match="power cut"):
        crossval(recipe(), out, PLAN, progress=Told("repeat 2 of 2, fold 2"))
    finished = fold_folder(out, 0, 1) / "metrics.json"
    before = finished.stat().st_mtime_ns
    told = Told()
    crossval(recipe(), out, PLAN, resume=True, progress=told)
    assert finished.stat().st_mtime_ns == before
    assert told.lines.count("finished before") == 4
    return out


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "copy"))


def test_every_image_is_tested_once_a_repeat_by_a_network_that_never_saw_its_group(done: Path) -> None:
    repeats, labels = repeat_cases(done)
    assert labels == BREAST
    assert [len(cases) for cases in repeats] == [60, 60]
    group_of = {case.sample_id: case.group for case in repeats[0]}
    for repeat in range(2):
        for fold in range(3):
            split = json.loads((fold_folder(done, repeat, fold) / "split.json").read_text())
            tested = {group_of[name] for name in split["test"]}
            assert not tested & {group_of[name] for name in split["train"] + split["val"]}


def test_repeats_have_other_folds_and_other_seeds(done: Path) -> None:
    splits = [json.loads((fold_folder(done, r, 0) / "split.json").read_text())["test"] for r in range(2)]
    assert set(splits[0]) != set(splits[1])
    recipes = [(fold_folder(done, r, 0) / "recipe.toml").read_text() for r in range(2)]
    assert recipes[0] != recipes[1]


def test_metrics_are_means_over_repeats_of_all_their_images(done: Path) -> None:
    document = json.loads((done / "crossval.json").read_text())
    accuracy = next(row for row in document["metrics"] if row["metric"] == "accuracy")
    repeats, _ = repeat_cases(done)
    by_repeat = [np.mean([case.target == case.prediction for case in cases]) for cases in repeats]
    assert accuracy["value"] == pytest.approx(np.mean(by_repeat))
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert len(accuracy["folds"]) == 6
    assert accuracy["folds_mean"] == pytest.approx(np.mean(accuracy["folds"]))


def test_the_ensemble_of_all_repeats_is_evaluated_on_the_mean_of_their_predictions(done: Path) -> None:
    document = json.loads((done / "crossval.json").read_text())
    ensemble = {(row["metric"], row["of"]): row for row in document["ensemble"]}
    repeats, labels = repeat_cases(done)
    probs = np.mean([[case.calibrated_probs for case in cases] for cases in repeats], axis=0)
    target = [labels.index(case.target) for case in repeats[0]]
    assert ensemble["accuracy", "overall"]["value"] == pytest.approx(np.mean(probs.argmax(axis=1) == target))
    assert ensemble["auroc", "malignant"]["value"] == pytest.approx(
        roc_auc_score([index == 2 for index in target], probs[:, 2])
    )


def test_a_fold_can_be_compared_and_the_whole_too(done: Path) -> None:
    found = compare_runs(done, done)
    assert (found.comparison.n_images, found.comparison.repeats, found.only_first) == (60, 2, 0)
    one = fold_folder(done, 0, 0)
    alone = compare_runs(done, one)
    assert alone.comparison.n_images == len(read_cases(one / "cases.csv")[0])
    assert alone.only_first == 60 - alone.comparison.n_images
    with pytest.raises(DataError, match="share no case"):
        compare_runs(one, fold_folder(done, 0, 1))
    with pytest.raises(DataError, match=r"holds no cases.csv"):
        compare_runs(done, done / "repeat-1")


def test_a_half_deleted_fold_is_named(copy: Path) -> None:
    (fold_folder(copy, 1, 2) / "cases.csv").unlink()
    with pytest.raises(OutputError, match=r"fold-3: cases.csv of the finished run is missing; remove this folder"):
        crossval(recipe(), copy, PLAN, resume=True)
    with pytest.raises(DataError, match=r"fold-3/cases.csv: cannot be read .*go on with busight crossval --resume"):
        compare_runs(copy, copy)
    shutil.rmtree(fold_folder(copy, 1, 2))
    before = (copy / "crossval.json").read_text()
    (copy / "crossval.json").unlink()
    crossval(recipe(), copy, PLAN, resume=True)
    assert (copy / "crossval.json").read_text() == before  # trained again on the CPU: the same to the last digit


@pytest.mark.parametrize("change", ["shortened", "edited", "cases", "split"])
def test_a_changed_fold_is_not_taken_for_a_finished_one(copy: Path, change: str) -> None:
    folder = fold_folder(copy, 0, 1)
    lines = (folder / "cases.csv").read_text().splitlines(keepends=True)
    if change == "shortened":
        (folder / "cases.csv").write_text("".join(lines[:-1]))
    elif change == "edited":
        (folder / "cases.csv").write_text("".join(lines).replace("malignant", "benign"))
    elif change == "cases":
        (folder / "cases.csv").write_text("nonsense")
    else:
        (folder / "split.json").write_text("{")
    with pytest.raises(OutputError, match=r"fold-2/(cases\.csv|split\.json): .*remove this folder, and --resume"):
        crossval(recipe(), copy, PLAN, resume=True)


def test_an_unfinished_fold_is_told_wherever_its_cases_are_needed(copy: Path, done: Path) -> None:
    (fold_folder(copy, 0, 1) / "metrics.json").unlink()
    with pytest.raises(DataError, match=r"fold-2: is not finished; go on with busight crossval --resume"):
        compare_runs(done, copy)
    with pytest.raises(DataError, match=r"fold-2: is not finished"):
        audit(load_data(SPEC), crossval=copy)


def test_an_audit_refuses_a_cross_validation_of_other_data(done: Path) -> None:
    other = SPEC.replace("phantom:60", "phantom:60,seed=99")
    with pytest.raises(DataError, match=r"a cross-validation of other data than phantom:60,seed=99"):
        audit(load_data(other), crossval=done)


def test_going_on_with_another_plan_is_refused(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another recipe, data or plan"):
        crossval(recipe(), copy, Plan(folds=3, repeats=3), resume=True)
    (copy / "plan.json").write_text("{")
    with pytest.raises(OutputError, match="another recipe, data or plan"):
        crossval(recipe(), copy, PLAN, resume=True)
    with pytest.raises(OutputError, match="no interrupted cross-validation"):
        crossval(recipe(), tmp_path, PLAN, resume=True)


def test_changed_pixels_under_the_same_names_are_not_gone_on_with(done: Path) -> None:
    checked = check_dataset(load_data(SPEC), Silent())
    split = read_split(fold_folder(done, 0, 0) / "split.json", checked.samples)
    assert is_finished(fold_folder(done, 0, 0), split, checked)
    changed = replace(checked, manifest=replace(checked.manifest, digest="other"))
    with pytest.raises(OutputError, match=r"split.json: was made for other data .* have changed since"):
        is_finished(fold_folder(done, 0, 0), split, changed)


def test_a_copied_folder_beside_the_repeats_is_not_read(copy: Path) -> None:
    before = repeat_cases(copy)
    shutil.copytree(copy / "repeat-1", copy / "repeat-1 (copy)")
    (copy / "repeat-x").mkdir()
    assert str(repeat_cases(copy)) == str(before)


def test_folds_that_cannot_be_are_noticed_before_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"class \w+: fewer independent groups than split.folds=40"):
        crossval(recipe(), tmp_path / "out", Plan(folds=40))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="at least 2 folds"):
        Plan(folds=1)


def test_by_image_is_called_flattering(tmp_path: Path) -> None:
    record = crossval(recipe(), tmp_path / "out", Plan(folds=2, by="image"))
    assert "near-duplicate pairs lie on two sides of a split" in record.limitations[0]
    assert "too high" in record.limitations[0]


def test_each_source_is_left_out_in_turn(tmp_path: Path) -> None:
    spec = "phantom:24,size=96 + phantom:30,seed=5,size=96 + phantom:36,seed=9,size=96"
    told = Told()
    record = crossval(recipe(f"data.spec='{spec}'"), tmp_path / "out", Plan(by="source"), progress=told)
    assert [line for line in told.lines if line.startswith("repeat")] == [
        f"repeat 1 of 1, without phantom-{number}" for number in (1, 2, 3)
    ]
    for fold, images in enumerate((24, 30, 36)):
        folder = fold_folder(tmp_path / "out", 0, fold)
        cases, _ = read_cases(folder / "cases.csv")
        assert len(cases) == images
        assert {case.sample_id.partition(":")[0] for case in cases} == {f"phantom-{fold + 1}"}
        split = read_split(folder / "split.json", check_dataset(load_data(spec), Silent()).samples)
        assert not any(name.startswith(f"phantom-{fold + 1}:") for name in (*split.train, *split.val))
    assert len(record.cases) == 90
    assert any("data sets was tested by networks trained on the others" in text for text in record.limitations)


def test_sources_that_cannot_be_left_out_are_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--by source: phantom:60,.* is one data set; join several"):
        crossval(recipe(), tmp_path / "out", Plan(by="source"))
    save = Path(tmp_path / "own" / "cyst")
    save.mkdir(parents=True)
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64), dtype=np.uint8)
        Pillow.fromarray(pixels).save(save / f"{number}.png")
    mixed = recipe(f"data.spec='phantom:40,size=96 + folder:{tmp_path / 'own'}'")
    with pytest.raises(DataError, match="split leave_one_source_out: no image of class cyst is left to train on"):
        crossval(mixed, tmp_path / "out", Plan(by="source"))
    assert not (tmp_path / "out").exists()


class Killer(Told):
    """Kills every job at its first stage, as a system short of memory does."""

    def stage(self, name: str) -> None:
        super().stage(name)
        if name.endswith("training"):
            for process in multiprocessing.active_children():
                process.kill()


def test_folds_train_side_by_side_and_survive_a_killed_process(tmp_path: Path) -> None:
    small = recipe("data.spec='phantom:40,size=64'")
    with pytest.raises(BusightError, match=r"fold \d of 2: its process ended with exit code -9 .* fewer --jobs"):
        crossval(small, tmp_path / "out", Plan(folds=2), n_jobs=2, progress=Killer())
    assert multiprocessing.active_children() == []
    told = Told()
    record = crossval(small, tmp_path / "out", Plan(folds=2), n_jobs=2, resume=True, progress=told)
    (cases,), _ = repeat_cases(tmp_path / "out")
    assert len({case.sample_id for case in cases}) == record.metrics.n_images == 40
    assert {line for line in told.lines if line.endswith("done")} == {
        f"repeat 1 of 1, fold {fold} of 2: done" for fold in (1, 2)
    }


def test_an_error_in_a_process_is_the_error_of_the_call(tmp_path: Path) -> None:
    lost = recipe("data.spec='phantom:40,size=64'", "classify.weights='/nowhere/net.safetensors'")
    with pytest.raises(WeightsError, match=r"/nowhere/net\.safetensors"):
        crossval(lost, tmp_path / "out", Plan(folds=2), n_jobs=2)
    with pytest.raises(ConfigError, match="0 jobs at a time: at least 1 is needed"):
        crossval(lost, tmp_path / "other", Plan(folds=2), n_jobs=0)


def test_chosen_sources_are_left_out_and_unknown_ones_are_named(tmp_path: Path) -> None:
    joined = recipe("data.spec='a=phantom:24,size=96 + b=phantom:30,seed=5,size=96'")
    with pytest.raises(ConfigError, match="--leave-out c: no data set of this name; joined are a, b"):
        crossval(joined, tmp_path / "out", Plan(by="source", left_out=("c",)))
    assert not (tmp_path / "out").exists()
    record = crossval(joined, tmp_path / "out", Plan(by="source", left_out=("b",)))
    assert {dict(case.metadata)["data set"] for case in record.cases} == {"b"}
    assert len(record.folds) == 1
