"""The demo recipe from phantoms to metrics, on the kind of CPU that the expected values were written on."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_file import EXPECTED, check

from busight.data.split_file import data_digest_of
from busight.model.bundle.load import load_bundle
from busight.results.cases_file import read_cases
from busight.results.metrics_file import read_metrics

Quick = Callable[..., Path]


def kind_of_cpu() -> str:
    """Return what the last digits of a training depend on: processor, vector instructions, threads, PyTorch."""
    parts = (platform.machine(), torch.backends.cpu.get_cpu_capability(), str(torch.get_num_threads()))
    return "-".join((*parts, torch.__version__.partition("+")[0])).replace(" ", "").lower()


def test_data_and_split_of_the_demo_recipe(quick_run: Quick) -> None:
    folder = quick_run("demo")
    card = load_bundle(folder).card
    found = {
        "data": card.training.data_digest,
        "split": card.training.split_digest,
        "data in the split's file": data_digest_of(folder / "split.json"),
        "training images": card.training.images,
        "digests of training images": len(card.training.digests),
    }
    check("demo-data", found, 0)


def test_cases_of_the_demo_recipe(quick_run: Quick) -> None:
    cases, labels = read_cases(quick_run("demo") / "cases.csv")
    metrics = read_metrics(quick_run("demo") / "metrics.json")
    name = f"demo-{kind_of_cpu()}"
    found = {
        "classes": labels.names,
        "cases": {
            case.sample_id: {
                "logits": case.logits,
                "probs": case.calibrated_probs,
                "dice": None if np.isnan(case.mask_scores.dice) else case.mask_scores.dice,
            }
            for case in cases
        },
        "accuracy": metrics.get("accuracy").value,
    }
    if not (EXPECTED / f"{name}.json").is_file() and "BUSIGHT_WRITE_GOLDEN" not in os.environ:
        pytest.xfail(f"no expected values for this kind of CPU ({name}); write them with BUSIGHT_WRITE_GOLDEN=1")
    check(name, found, 1e-6)
