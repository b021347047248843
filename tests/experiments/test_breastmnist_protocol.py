"""BreastMNIST's protocol on a file made from BUSI in the official layout: parts, labels, shapes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from busight.data.manifest import DatasetManifest, build_manifest
from busight.data.sources.catalogue import load_data
from busight.experiments.run import run
from busight.recipes.load import load_recipe
from busight.results.cases_file import read_cases

SUBSETS = {"train": 546, "val": 78, "test": 156}
"""As published."""


@pytest.fixture(scope="module")
def official_layout(busi_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    busi: DatasetManifest = build_manifest(load_data(f"busi:{busi_root}"))
    order = np.random.default_rng(0).permutation(len(busi.rows))
    samples = [busi.dataset.samples[index] for index in order]
    arrays: dict[str, np.ndarray] = {}
    start = 0
    for part, count in SUBSETS.items():
        own = samples[start : start + count]
        images = [cv2.resize(busi.dataset.reader.image(s), (224, 224), interpolation=cv2.INTER_AREA) for s in own]
        arrays[f"{part}_images"] = np.stack(images)
        arrays[f"{part}_labels"] = np.array([[int(s.label != "malignant")] for s in own], dtype=np.uint8)
        start += count
    path = tmp_path_factory.mktemp("breastmnist") / "breastmnist_224.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.slow
def test_the_protocol_runs_on_the_official_layout(official_layout: Path, tmp_path: Path) -> None:
    small = ["train.epochs=1", "classify.size=32", "assess.resamples=100", "train.accelerator=cpu"]
    recipe = load_recipe("breastmnist", small, data=f"breastmnist:{official_layout}")
    run(recipe, tmp_path / "out")
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    assert {part: len(split[part]) for part in SUBSETS} == SUBSETS
    cases, labels = read_cases(tmp_path / "out" / "cases.csv")
    assert (labels.names, labels.positive) == (("not malignant", "malignant"), "malignant")
    with np.load(official_layout) as saved:
        targets = np.where(saved["test_labels"].ravel() == 0, "malignant", "not malignant")
    assert [case.target for case in cases] == targets.tolist()
