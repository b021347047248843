"""A compiled training is resumed, exported and kept as one that is not compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from busight.classify.network import NetworkOutput, PooledLinear
from busight.model.bundle.card import CLASSIFIER
from busight.model.bundle.export import TrainedGraph, export_networks
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, Rows
from busight.training.settings import TrainSettings

SETTINGS = TrainSettings(
    epochs=2, batch=4, optimizer="sgd", learning_rate=0.02, schedule="constant", accelerator="cpu", checkpoint="last"
)
TOLERANCE = 1e-4


class Tiny(nn.Module):
    """A network that compiles within seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        self.head = PooledLinear(8, 3, 0.3)

    def forward(self, batch: Tensor) -> NetworkOutput:
        logits, activation, pooled = self.head(self.features(batch))
        return NetworkOutput(logits, activation, None, pooled)


def images() -> PreparedSet:
    rng = np.random.default_rng(0)
    targets = np.arange(12, dtype=np.int64) % 3
    pixels = rng.integers(0, 90, (12, 16, 16), dtype=np.uint8) + (50 * targets[:, None, None]).astype(np.uint8)
    nothing = np.zeros(12, np.int64)
    ids = tuple(map(str, range(12)))
    return PreparedSet(
        ids, Rows([pixels]), Rows([np.zeros_like(pixels)]), nothing.astype(bool), targets, nothing, targets
    )


def train(folder: Path, settings: TrainSettings) -> Tiny:
    torch.manual_seed(0)
    network = Tiny()
    fit(network, "classifier", images(), images(), settings, folder)  # type: ignore[arg-type]
    return network


@pytest.mark.slow
def test_a_compiled_network_learns_resumes_and_is_exported_as_any(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain", SETTINGS)
    compiled = replace(SETTINGS, compile=True)
    train(tmp_path / "resumed", replace(compiled, epochs=1))
    resumed = train(tmp_path / "resumed", compiled)
    through = train(tmp_path / "through", compiled)
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], through.state_dict()[key], rtol=0, atol=0)
        torch.testing.assert_close(through.state_dict()[key], value, rtol=TOLERANCE, atol=TOLERANCE)
    graphs = []
    for name, network in (("plain", plain), ("through", through)):
        _, difference = export_networks(tmp_path / name, TrainedGraph(network, 16, 1), None)  # type: ignore[arg-type]
        assert difference < TOLERANCE
        graphs.append(OnnxRuntimeEngine(tmp_path / name / CLASSIFIER))
    batch = np.asarray(images().images[range(12)], np.float32)[:, None] / 255
    outputs = [graph.run(batch) for graph in graphs]
    assert set(outputs[0]) == set(outputs[1])
    for name, values in outputs[0].items():
        np.testing.assert_allclose(outputs[1][name], values, atol=TOLERANCE)


@pytest.mark.slow
def test_a_missing_compiler_is_named_in_one_line_before_any_work(tmp_path: Path) -> None:
    script = (
        "from busight.training.accelerator import trainer_device\n"
        "from busight.training.settings import TrainSettings\n"
        "trainer_device(TrainSettings(compile=True, accelerator='cpu'))\n"
    )
    env = {**os.environ, "CXX": "/no/compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "ConfigError: train.compile: torch.compile fails on this machine (" in last
    assert last.endswith("install a C++ compiler such as g++, or set it to false")
