"""Two processes of torchrun learn what one with the doubled batch learns, and go on after one of them was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from busight.classify.network import NetworkOutput, PooledLinear
from busight.results.history import History, read_csv_text
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, Rows
from busight.training.settings import TrainSettings

# No batch normalisation: it sees the images of its own process alone, and PyTorch synchronises it on GPUs only.
SETTINGS = TrainSettings(epochs=4, batch=4, optimizer="sgd", learning_rate=0.05, schedule="cosine", accelerator="cpu")
TOLERANCE = 1e-5


class Plain(nn.Module):
    """A network without batch normalisation and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU())
        self.head = PooledLinear(8, 3, 0.0)

    def forward(self, batch: Tensor) -> NetworkOutput:
        logits, activation, pooled = self.head(self.features(batch))
        return NetworkOutput(logits, activation, None, pooled)


def part(seed: int, n: int) -> PreparedSet:
    rng = np.random.default_rng(seed)
    targets = np.arange(n, dtype=np.int64) % 3
    images = rng.integers(0, 90, (n, 16, 16), dtype=np.uint8) + (50 * targets[:, None, None]).astype(np.uint8)
    nothing = np.zeros(n, np.int64)
    masks = Rows([np.zeros_like(images)])
    return PreparedSet(
        tuple(map(str, range(n))), Rows([images]), masks, nothing.astype(bool), targets, nothing, targets
    )


def train(folder: Path, batch: int, accumulate: int = 1, killed: bool = False) -> History:
    from dataclasses import replace

    torch.manual_seed(0)
    settings = replace(SETTINGS, batch=batch, accumulate=accumulate)

    def stop(line: str) -> None:
        if killed and line.startswith("epoch 3/") and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return fit(Plain(), "classifier", part(1, 32), part(2, 9), settings, folder, stop)  # type: ignore[arg-type]


def losses(history: History) -> list[tuple[float, float]]:
    return [(row.train_loss, row.val_loss) for row in history.rows]


def test_accumulated_gradients_are_those_of_a_larger_batch(tmp_path: Path) -> None:
    whole = losses(train(tmp_path / "whole", 8))
    np.testing.assert_allclose(losses(train(tmp_path / "parts", 4, accumulate=2)), whole, rtol=TOLERANCE)
    assert whole[-1][0] < whole[0][0]


def ended(command: list[str], limit_s: float) -> tuple[int, str]:
    """The exit code and standard error of torchrun. Past the limit it is told to end, which it tells its processes."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            errors = process.communicate(timeout=limit_s)[1]
        except subprocess.TimeoutExpired:
            process.terminate()
            pytest.fail(f"torchrun did not end within {limit_s:.0f} s: {process.communicate()[1]}")
    return process.returncode, errors


@pytest.mark.slow
def test_two_processes_are_one_with_the_doubled_batch_and_survive_a_kill(tmp_path: Path) -> None:
    whole = losses(train(tmp_path / "whole", 8))
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom test_torchrun import train\n"
        f"train(Path({str(tmp_path / 'two')!r}), 4, killed=True)\n"
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    # Started again by hand: torchrun's own restart meets the addresses of the lost processes now and then.
    for code in (1, 0):
        returned, errors = ended([*launch, str(script)], 120)
        assert returned == code, errors
        assert ("exitcode: -9" in errors) == bool(code), errors
    rows = read_csv_text((tmp_path / "two" / "history.csv").read_text())
    assert [row.epoch for row in rows] == [1, 2, 3, 4]
    np.testing.assert_allclose([(row.train_loss, row.val_loss) for row in rows], whole, rtol=TOLERANCE)
