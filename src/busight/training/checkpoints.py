"""Atomic checkpoints, and the training history in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from busight.errors import DataError
from busight.io.atomic import write_text, written_beside
from busight.results.history import COLUMNS, EpochRow, csv_text

_UNPICKLING = (ArithmeticError, AttributeError, EOFError, LookupError, TypeError, UnpicklingError, ValueError)
"""What the unpickler raises on garbage, by what its bytes happen to mean."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Atomic checkpoint writer: a process killed while writing leaves the checkpoint before."""

    # Lightning's own writes into the system's folder for temporary files. Where that lies on another disk, its last
    # step is a copy over the checkpoint before: 5 of 12 killed processes left a broken one.
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Save a checkpoint, whole or not at all."""
        with written_beside(Path(path)) as beside:
            torch.save(checkpoint, beside)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU; no code in it is run.

    Raises:
        DataError: It is damaged, as after a full disk.
    """
    remedy = "remove its folder, and --resume trains the network anew"
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"epoch", "callbacks", "state_dict"} - set(checkpoint)
    except (*_UNPICKLING, OSError, RuntimeError) as error:
        raise DataError(f"{path}: a damaged checkpoint; {remedy}") from error
    if missing:
        raise DataError(f"{path}: no checkpoint of a training; {remedy}")
    return dict(checkpoint)


class HistoryKeeper(Callback):
    """Callback that collects one row per epoch, in the checkpoint and in ``history.csv``."""

    # Lightning's CSVLogger deletes the rows of the epochs before when a run is resumed, and appends in place.
    def __init__(self, path: Path, progress: Callable[[str], None] | None) -> None:
        self.path = path
        self.progress = progress
        self.rows: list[EpochRow] = []
        self._started = time.monotonic()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add the epoch's row. Runs before the checkpoint is written, so that the checkpoint holds the row."""
        metrics = {key: float(value) for key, value in trainer.callback_metrics.items()}
        row = EpochRow(
            epoch=trainer.current_epoch + 1,
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            seconds=time.monotonic() - self._started,
            **{name: metrics.get(name, float("nan")) for name in COLUMNS if name.startswith(("train", "val"))},
        )
        if not math.isfinite(row.train_loss):
            raise DataError(
                f"epoch {row.epoch}: the training loss is no number any more; lower train.learning_rate "
                f"({row.learning_rate:g} here)"
            )
        self.rows.append(row)
        if trainer.is_global_zero:
            write_text(self.path, csv_text(self.rows))
            if self.progress:
                self.progress(row.sentence(trainer.max_epochs or row.epoch))

    def state_dict(self) -> dict[str, Any]:
        """Put the rows into the checkpoint."""
        return {"rows": [row.values() for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows back from the checkpoint."""
        self.rows = [EpochRow.of(values) for values in state_dict["rows"]]
