from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from quick import QUICK

from busight.errors import ConfigError, OutputError
from busight.experiments.repeat import repeat_seeds, seed_folder
from busight.io.progress import Silent
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.report.text.repeats import repeat_lines


def recipe(*more: str) -> Recipe:
    spec = "data.spec='phantom:60,size=96,duplicates=0.1'"
    return load_recipe(
        "demo", [spec, *QUICK, "classify.strategy=whole", "train.epochs=1", "split.kind=by_image", *more]
    )


class PowerCut(Silent):
    def stage(self, name: str) -> None:
        if name == "seed 2 of 3":
            raise RuntimeError("power cut")


def test_seeds_differ_go_on_after_a_power_cut_and_are_summed_up(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RuntimeError, match="power cut"):
        repeat_seeds(recipe(), out, 3, progress=PowerCut())
    before = (seed_folder(out, 0) / "metrics.json").stat().st_mtime_ns
    with pytest.raises(OutputError, match="another recipe, data or plan"):
        repeat_seeds(recipe(), out, 4, resume=True)
    record = repeat_seeds(recipe(), out, 3, resume=True)
    assert (seed_folder(out, 0) / "metrics.json").stat().st_mtime_ns == before
    tests = [json.loads((seed_folder(out, seed) / "split.json").read_text())["test"] for seed in range(3)]
    assert len({tuple(test) for test in tests}) == 3
    accuracies = []
    for seed in range(3):
        document = json.loads((seed_folder(out, seed) / "metrics.json").read_text())
        accuracies.append(next(s["value"] for s in document["metrics"] if s["metric"] == "accuracy"))
    found = record.metrics.find("accuracy")
    assert found is not None
    assert found.values == tuple(accuracies)
    assert found.spread.mean == pytest.approx(np.mean(accuracies))
    assert np.isnan([found.single_low, found.single_high]).all()  # of nine test images
    assert record.leaking_pairs > 0  # by image, as the paper splits
    assert json.loads((out / "repeat.json").read_text())["n_test"] == record.n_test == len(tests[0])
    lines = repeat_lines(record)
    assert lines[0].startswith("3 seeds; ")
    assert all(0 <= one.spread.low <= one.spread.high <= 1 for one in (record.metrics.find("accuracy"),) if one)
    starts = {found.start() for line in lines[2:] if (found := re.search(r"\d\.\d", line))}
    assert len(starts) == 1  # columns stand under each other
    assert any(line.startswith("Accuracy") for line in lines)


def test_what_cannot_be_is_refused_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 seeds: the spread over seeds needs at least 2"):
        repeat_seeds(recipe(), tmp_path / "out", 1)
    with pytest.raises(ConfigError, match="names no data"):
        repeat_seeds(load_recipe("default"), tmp_path / "out", 2)
    with pytest.raises(OutputError, match="no interrupted series of seeds to resume"):
        repeat_seeds(recipe(), tmp_path / "out", 2, resume=True)
    assert not (tmp_path / "out").exists()
