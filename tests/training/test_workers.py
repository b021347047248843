"""Processes that read batches ahead: the same training, and no copy of the arrays in memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from busight.classify.network import build_classifier
from busight.classify.settings import ClassifySettings
from busight.errors import DataError
from busight.training.data_module import PreparedDataModule
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, Rows
from busight.training.settings import AugmentSettings, TrainSettings

SETTINGS = TrainSettings(
    epochs=2, batch=4, learning_rate=3e-3, accelerator="cpu", augment=AugmentSettings(flip=True, rotate_deg=10)
)
MIB = 1024**2

# A worker of the tests may use one core alone.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


def on_disk(folder: Path, n: int, size: int) -> PreparedSet:
    """Images of zeros in sparse files, which are read like others but take no space."""
    folder.mkdir()
    images, masks = (
        np.lib.format.open_memmap(folder / name, "w+", np.uint8, (n, size, size))
        for name in ("images.npy", "masks.npy")
    )
    nothing = np.zeros(n, np.int64)
    ids = tuple(map(str, range(n)))
    return PreparedSet(ids, Rows([images]), Rows([masks]), nothing.astype(bool), nothing, nothing, nothing)


def losses(folder: Path, workers: int, progress: Callable[[str], None] | None = None) -> list[tuple[float, float]]:
    torch.manual_seed(0)
    network = build_classifier(ClassifySettings(backbone="small_cnn", strategy="whole", size=32, dropout=0.3), 3)
    images = on_disk(folder, 14, 32)
    rng = np.random.default_rng(0)
    images.images.arrays[0][:] = rng.integers(0, 256, (14, 32, 32), dtype=np.uint8)
    settings = replace(SETTINGS, workers=workers)
    history = fit(network, "classifier", images, images, settings, folder, progress)
    return [(row.train_loss, row.val_loss) for row in history.rows]


@pytest.mark.slow
def test_workers_change_no_loss(tmp_path: Path) -> None:
    assert losses(tmp_path / "two", 2) == losses(tmp_path / "none", 0)


def train_and_kill_a_worker(folder: Path) -> None:
    def kill(line: str) -> None:
        os.kill(int(worker_ids()[0]), signal.SIGKILL)

    with pytest.raises(DataError, match=r"train\.workers = 2: DataLoader worker .* lower it, or set it to 0; --resume"):
        losses(folder / "two", 2, kill)


@pytest.mark.slow
def test_a_killed_worker_is_told_in_one_line(tmp_path: Path) -> None:
    # In a process of its own: PyTorch handles the signal of a lost child in the whole process, which other tests use.
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from pathlib import Path\n"
        f"from test_workers import train_and_kill_a_worker; train_and_kill_a_worker(Path({str(tmp_path)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory by kind is told by Linux alone")
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_holds_a_few_batches_in_memory(tmp_path: Path, workers: int) -> None:
    images = on_disk(tmp_path / "arrays", 1000, 768)  # 1,125 MiB
    loader = PreparedDataModule(images, images, TrainSettings(batch=8, workers=workers)).train_dataloader()
    before, most, n_images = anonymous_memory("self"), 0, 0
    for batch in loader:
        n_images += len(batch[0])
        most = max(most, anonymous_memory("self") - before, *map(anonymous_memory, worker_ids()))
    assert n_images == 1000
    assert len(worker_ids()) == workers
    del loader
    assert most < (48 * MIB if workers == 0 else 450 * MIB)  # a process that has loaded PyTorch starts at some 200 MiB


def worker_ids() -> list[str]:
    return [str(process.pid) for process in multiprocessing.active_children()]


def anonymous_memory(process_id: str) -> int:
    """Bytes that are not pages of a file, which the system takes back when it needs them."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
