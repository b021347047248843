"""The fit call: Lightning with checkpoints, early stopping, logs and exact resumption."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from busight.classify.network import Network
from busight.errors import DataError
from busight.train.checkpoints import AtomicCheckpointIO, HistoryKeeper
from busight.train.history import History, read_csv_text
from busight.train.module import TrainingModule
from busight.train.prepared import EpochShuffle, PreparedPart, class_weights, plain_loader, train_loader
from busight.train.settings import TrainSettings

HISTORY_FILE = "history.csv"


class Interrupted(KeyboardInterrupt):
    """Training was stopped from outside; the last finished epoch is kept."""


def fit(
    network: Network,
    name: str,
    train: PreparedPart,
    val: PreparedPart,
    settings: TrainSettings,
    folder: Path,
    progress: Callable[[str], None] | None = None,
) -> History:
    """Train a network in place and keep the best epoch's weights (or the last's).

    After every epoch ``folder/last.ckpt`` is written; a call with the same folder goes on from there. On the CPU a
    run that was resumed ends with exactly the weights of one that was not.

    Args:
        network: The network; holds the kept weights afterwards.
        name: ``"segmenter"`` or ``"classifier"``, for logs and history.
        train: Training part.
        val: Validation part, which chooses the epoch.
        settings: How.
        folder: For checkpoints, ``history.csv`` and TensorBoard logs.
        progress: Called with one line an epoch.

    Returns:
        The course of the training.

    Raises:
        DataError: A part is empty.
        Interrupted: Stopped by Ctrl-C; call again to go on.
    """
    if not len(train.targets) or not len(val.targets):
        raise DataError(f"{name}: training and validation need at least one image each")
    sampler = EpochShuffle(len(train.targets), settings.seed)
    loader = train_loader(train, settings.batch, sampler)
    module = TrainingModule(network, settings, _weights(network, train, settings), len(loader))
    if settings.channels_last:
        network.to(memory_format=torch.channels_last)
    monitor, mode = ("val_loss", "min") if name == "classifier" else ("val_dice", "max")
    keeper = HistoryKeeper(folder / HISTORY_FILE, progress)
    best = ModelCheckpoint(folder, "best", monitor=monitor, mode=mode, save_last=True, enable_version_counter=False)
    callbacks: list[Callback] = [keeper, best]
    if settings.patience:
        callbacks.append(EarlyStopping(monitor, mode=mode, patience=settings.patience))
    last = folder / "last.ckpt"
    if last.exists():
        # Lightning draws the first batch of a resumed epoch before it tells the sampler which epoch it is.
        sampler.set_epoch(_finished_epochs(last))
    with _quiet():
        trainer = _trainer(settings, folder, callbacks)
        try:
            trainer.fit(
                module, loader, plain_loader(val, settings.batch * 2), ckpt_path=last if last.exists() else None
            )
        except SystemExit as stop:
            # Lightning answers Ctrl-C by leaving the process; whoever called us decides that.
            raise Interrupted(f"{name}: stopped after epoch {len(keeper.rows)} of {settings.epochs}") from stop
    kept = last if settings.keep == "last" else Path(best.best_model_path)
    epoch = _load(network, kept)
    # From the file and not from the callback: with several devices the callback lived in other processes.
    rows = read_csv_text((folder / HISTORY_FILE).read_text(encoding="utf-8"))
    return History(name, rows, epoch, monitor if settings.keep == "best" else "last epoch")


def _weights(network: Network, train: PreparedPart, settings: TrainSettings) -> torch.Tensor | None:
    if not settings.class_weights or network.head is None:
        return None
    return class_weights(train.targets, network.head.linear.out_features)


def _trainer(settings: TrainSettings, folder: Path, callbacks: list[Callback]) -> lightning.Trainer:
    several = settings.devices not in (1, "auto")
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        # Spawned and not launched as a script: the command line must not run twice.
        strategy="ddp_spawn" if several else "auto",
        max_epochs=settings.epochs,
        precision=_precision(settings),
        callbacks=callbacks,
        plugins=[AtomicCheckpointIO()],
        logger=TensorBoardLogger(folder, name="", version="tensorboard"),
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )


def _precision(settings: TrainSettings) -> Any:
    if settings.precision != "auto":
        return settings.precision
    on_gpu = settings.accelerator != "cpu" and torch.cuda.is_available()
    if not on_gpu:
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _finished_epochs(path: Path) -> int:
    return int(torch.load(path, map_location="cpu", weights_only=True)["epoch"]) + 1


def _load(network: Network, path: Path) -> int:
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    kept = {key: value for key, value in checkpoint["state_dict"].items() if key.startswith("network.")}
    network.load_state_dict({key.removeprefix("network."): value for key, value in kept.items()})
    network.eval()
    return int(checkpoint["epoch"]) + 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's greetings and hints about loader workers out of the user's terminal, here and only here."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text in (".*does not have many workers.*", ".*Checkpoint directory.*", ".*LeafSpec.*"):
            warnings.filterwarnings("ignore", message=text)
        try:
            yield
        finally:
            logger.setLevel(level)
