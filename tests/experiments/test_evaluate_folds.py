from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from quick import QUICK

from busight.errors import OutputError
from busight.experiments.compare import compare_runs
from busight.experiments.crossval import crossval
from busight.experiments.evaluate_folds import evaluate_folds, is_crossval
from busight.metrics.mask_scores import MaskScores
from busight.recipes.load import load_recipe
from busight.results.case import Case
from busight.results.cases_file import read_cases
from busight.results.crossval_folder import Plan
from busight.results.ensemble import ensemble_cases


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folds") / "cv"
    spec = "data.spec='phantom:60,size=96'"
    crossval(load_recipe("demo", [spec, *QUICK, "classify.strategy=whole", "train.epochs=1"]), out, Plan(folds=2))
    return out


def test_each_network_and_their_ensemble(folds: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = evaluate_folds(folds, "phantom:20,seed=7,size=96", out)
    assert (found.n_networks, found.n_trained_on) == (2, 0)
    parts = [read_cases(out / "networks" / f"repeat-1-fold-{k}.csv")[0] for k in (1, 2)]
    cases, labels = read_cases(out / "cases.csv")
    for case, *single in zip(cases, *parts, strict=True):
        mean = np.mean([one.calibrated_probs for one in single], axis=0)
        assert case.calibrated_probs == pytest.approx(mean)
        assert case.prediction == labels.names[int(np.argmax(mean))]
        assert case.above_threshold == all(one.above_threshold for one in single)  # the majority of two is both
        assert np.isnan(case.mask_scores.dice)
    accuracies = [np.mean([case.target == case.prediction for case in part]) for part in parts]
    assert found.per_network_mean.get("accuracy").value == pytest.approx(np.mean(accuracies))
    assert found.ensemble.get("accuracy").value == np.mean([case.target == case.prediction for case in cases])
    document = json.loads((out / "per_network_mean.json").read_text())
    assert (document["n_networks"], document["n_images"]) == (2, 20)
    # What was written can be compared like any evaluation.
    assert compare_runs(out, out).comparison.n_images == 20
    with pytest.raises(OutputError, match="never overwritten"):
        evaluate_folds(folds, "phantom:20,seed=7,size=96", out)


def test_images_that_were_trained_on_are_counted(folds: Path, tmp_path: Path) -> None:
    found = evaluate_folds(folds, "phantom:60,size=96", tmp_path / "out")
    assert found.n_trained_on == 60


def test_only_a_cross_validation_is_one(folds: Path, tmp_path: Path) -> None:
    assert is_crossval(folds)
    assert not is_crossval(folds / "repeat-1" / "fold-1")
    assert not is_crossval(tmp_path)


def test_the_mean_may_choose_what_no_network_chose() -> None:
    def case(*probs: float) -> Case:
        names = ("normal", "benign", "malignant")
        best = names[int(np.argmax(probs))]
        return Case(
            "a",
            "a",
            "benign",
            best,
            probs,
            probs,
            probs,
            MaskScores(dice=0.5, predicted_area_fraction=0.1),
            best == "malignant",
        )

    (joined,) = ensemble_cases([[case(0.5, 0.4, 0.1)], [case(0.1, 0.4, 0.5)], [case(0.2, 0.35, 0.45)]], ("n", "b", "m"))
    assert joined.prediction == "b"
    assert joined.calibrated_probs == pytest.approx((0.8 / 3, 1.15 / 3, 1.05 / 3))
    assert joined.above_threshold is True  # two of three
    assert np.isnan(joined.mask_scores.predicted_area_fraction)
