"""`busight tune`: the search on grouped inner folds, its determinism, and what ends early."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from typer.testing import CliRunner

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.cli.app import app
from busight.data.sources.catalogue import load_data
from busight.data.split import make_split
from busight.errors import ConfigError, OutputError
from busight.experiments import tune as tuning
from busight.experiments.tune import tune
from busight.io.progress import Silent
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe

RECIPE = """
[data]
spec = "phantom:40,size=64"
[classify]
strategy = "whole"
backbone = "small_cnn"
weights = "none"
size = 32
[train]
epochs = 1
accelerator = "cpu"
[assess]
calibration = "none"
[tune]
folds = 2
[tune.space]
"train.learning_rate" = {low = 1e-4, high = 1e-1, log = true}
"train.batch" = {choices = [8, 16]}
"""


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def recipe(recipe_file: Path) -> Recipe:
    return load_recipe(str(recipe_file))


@pytest.fixture(scope="module")
def checked() -> CheckedDataset:
    return check_dataset(load_data("phantom:40,size=64"), Silent())


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Recipe]]:
    """Fold scores that depend on the learning rate alone, in place of trainings; the jobs that were run."""
    ran: list[tuple[Path, Recipe]] = []

    def run_jobs(jobs: list[tuning.Job], **options: object) -> None:
        for job in jobs:
            job.folder.mkdir(parents=True, exist_ok=True)
            ran.append((job.folder, job.recipe))

    def score(folder: Path, metric: str, of: str) -> float:
        return 1 - abs(ran[-1][1].train.learning_rate - 0.01) - 0.1 * int(folder.name[-1])

    monkeypatch.setattr(tuning, "run_jobs", run_jobs)
    monkeypatch.setattr(tuning, "_score", score)
    return ran


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "trials.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_a_whole_search_from_the_command_line(recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = ["tune", str(recipe_file), "--trials", "1", "--out", str(out)]
    found = CliRunner().invoke(app, call)
    assert found.exit_code == 0, found.output
    best = max(rows(out), key=lambda row: float(row["auroc"] or 0))
    folds = [float(best["fold 1"]), float(best["fold 2"])]
    assert float(best["auroc"]) == pytest.approx(sum(folds) / 2)
    assert f"{float(best['auroc']):.4f}, best of 1 trials" in found.stdout
    chosen = load_recipe(str(out / "best.toml"))
    assert str(chosen.train.batch) == best["train.batch"]
    assert chosen.train.learning_rate == pytest.approx(float(best["train.learning_rate"]))
    assert not (out / "trials").exists()
    again = CliRunner().invoke(app, call)  # done: it only says so
    assert again.exit_code == 0
    assert again.stdout == found.stdout


@pytest.mark.usefixtures("scored")
def test_inner_folds_hold_no_test_image_and_keep_groups(
    recipe: Recipe,
    checked: CheckedDataset,
    tmp_path: Path,
    scored: list[tuple[Path, Recipe]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs: list[tuning.Job] = []
    run_jobs = tuning.run_jobs
    monkeypatch.setattr(tuning, "run_jobs", lambda given, **more: (jobs.extend(given), run_jobs(given, **more)))
    tune(recipe, tmp_path / "out", f"sqlite:///{tmp_path}/study.db", 1, checked=checked)
    test = set(make_split(checked.samples, checked.groups, recipe.split).test)
    group_of = checked.group_of()
    assert len(jobs) == 2
    assert test
    for job in jobs:
        assert not test & set(job.split.subset_of())
        parts = [{group_of[one] for one in getattr(job.split, name)} for name in ("train", "val", "test")]
        assert parts[0].isdisjoint(parts[1] | parts[2])
        assert parts[1].isdisjoint(parts[2])
    tested = [one for job in jobs for one in job.split.test]
    assert sorted(tested) == sorted({sample.sample_id for sample in checked.samples} - test)


@pytest.mark.usefixtures("scored")
def test_one_call_and_two_calls_search_the_same_values(recipe: Recipe, checked: CheckedDataset, tmp_path: Path) -> None:
    whole = tune(recipe, tmp_path / "a", f"sqlite:///{tmp_path}/a.db", 8, checked=checked)
    for trials in (3, 8):
        parts = tune(recipe, tmp_path / "b", f"sqlite:///{tmp_path}/b.db", trials, checked=checked)
    assert parts == whole
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    other = recipe.model_copy(update={"train": tuning.replace(recipe.train, seed=7)})
    assert tune(other, tmp_path / "c", f"sqlite:///{tmp_path}/a.db", 8, checked=checked).values != whole.values


def test_a_trial_below_the_median_is_pruned_after_its_first_fold(
    recipe: Recipe, checked: CheckedDataset, tmp_path: Path, scored: list[tuple[Path, Recipe]]
) -> None:
    tune(recipe, tmp_path / "out", f"sqlite:///{tmp_path}/study.db", 12, checked=checked)
    pruned = [row for row in rows(tmp_path / "out") if row["state"] == "pruned"]
    assert pruned
    assert all(row["auroc"] == row["fold 2"] == "" != row["fold 1"] for row in pruned)
    assert len(scored) == 2 * 12 - len(pruned)


def in_process(recipe: Recipe, folder: Path, number: int) -> None:
    tuning._score = lambda *given: 0.5  # type: ignore[assignment]
    tuning.run_jobs = lambda jobs, **more: (jobs[0].folder.mkdir(parents=True), time.sleep(0.1))  # type: ignore[assignment]
    tune(recipe, folder / str(number), f"sqlite:///{folder}/study.db", 8)


def test_several_processes_share_one_study(recipe: Recipe, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=in_process, args=(recipe, tmp_path, number)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    (study,) = optuna.get_all_study_summaries(f"sqlite:///{tmp_path}/study.db")
    trials = optuna.load_study(study_name=study.study_name, storage=f"sqlite:///{tmp_path}/study.db").trials
    assert 8 <= len(trials) <= 9
    assert len({trial.params["train.learning_rate"] for trial in trials}) == len(trials)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_trial_whose_process_was_ended_is_tried_again(recipe_file: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "out"
    program = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background has it ignored
from pathlib import Path
from busight.experiments import tune
from busight.recipes.load import load_recipe
tune.tune(load_recipe({str(recipe_file)!r}), Path({str(out)!r}), "sqlite:///{tmp_path}/study.db", 1, heartbeat_s=1)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL, env=dict(os.environ))
    deadline = time.monotonic() + 60
    while not list((out / "trials").glob("*/fold-1/recipe.toml")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (begun,) = (out / "trials").iterdir()  # before the signal: an interrupted trial may take its folder along
    process.send_signal(number)
    process.wait(30)
    if number == signal.SIGKILL:
        time.sleep(3)  # its heartbeat is overdue
    result = tune(load_recipe(str(recipe_file)), out, f"sqlite:///{tmp_path}/study.db", 1, heartbeat_s=1)
    study = optuna.load_study(study_name=result.study, storage=f"sqlite:///{tmp_path}/study.db")
    states = [trial.state.name for trial in study.trials]
    assert states == ["FAIL", "COMPLETE"]
    assert study.trials[1].params == study.trials[0].params
    assert result.trials == 1
    assert not begun.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[tune.space]", "tune.space is empty"),
        ('[tune.space]\n"train.epocs" = {low = 1, high = 3}', "unknown key train.epocs; did you mean epochs?"),
        ('[tune.space]\n"train.batch" = {choices = [8, "many"]}', "train.batch = 'many'"),
        ('[tune.space]\n"train.learning_rate" = {low = 0.1, high = 0.01}', "low below high"),
        ('[tune.space]\n"split.seed" = {low = 1, high = 3}', "split.seed decides what is measured"),
        ('[tune.space]\n"train.epochs" = {low = 1}', "high"),
    ],
)
def test_a_wrong_space_is_one_line(recipe_file: Path, tmp_path: Path, line: str, message: str) -> None:
    recipe_file.write_text(RECIPE.split("[tune.space]")[0] + line)
    with pytest.raises(ConfigError, match="(?s)" + message.replace(".", r"\.").replace("?", r"\?")):
        tune(load_recipe(str(recipe_file)), tmp_path / "out", f"sqlite:///{tmp_path}/study.db", 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("sqlite:////nowhere/study.db", "the database refuses"),
        ("study.db", "the database refuses"),
        ("postgresql://user:secret@127.0.0.1:9/x", "needs psycopg|refuses"),
    ],
)
def test_a_storage_that_refuses_is_one_line_without_the_password(
    recipe: Recipe, checked: CheckedDataset, tmp_path: Path, storage: str, message: str
) -> None:
    with pytest.raises(OutputError, match=message) as caught:
        tune(recipe, tmp_path / "out", storage, 1, checked=checked)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_names_the_known_ones(recipe: Recipe, checked: CheckedDataset, tmp_path: Path) -> None:
    wrong = recipe.model_copy(update={"tune": recipe.tune.model_copy(update={"metric": "auc"})})
    with pytest.raises(
        ConfigError, match=r"tune\.metric auc of macro: not measured here; choose one of .*auroc of macro"
    ):
        tune(wrong, tmp_path / "out", f"sqlite:///{tmp_path}/study.db", 1, checked=checked)
