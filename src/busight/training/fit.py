"""Fitting of a network: Lightning with checkpoints, early stopping, logs and exact resumption."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch._dynamo.exc import TorchDynamoException

from busight.classify.network import Network
from busight.errors import ConfigError, DataError
from busight.results.history import History, read_csv_text
from busight.training.accelerator import started_by_torchrun, trainer_device
from busight.training.average import Weights, mean_weights, member_seed, renew_statistics
from busight.training.checkpoints import AtomicCheckpointIO, HistoryKeeper, read_checkpoint
from busight.training.data_module import PreparedDataModule
from busight.training.module import TrainingModule
from busight.training.prepared import PreparedSet, class_weights
from busight.training.settings import TrainSettings

HISTORY_FILE = "history.csv"
BEST = "best.ckpt"
LAST = "last.ckpt"


class Interrupted(KeyboardInterrupt):
    """Training was stopped from outside; the last finished epoch is kept."""


class EndsWhenTold(Callback):
    """Callback that ends the process on SIGTERM, which torchrun sends where another process was lost.

    Lightning would first wait for that process, for minutes.
    """

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Give SIGTERM its meaning back."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def fit(
    network: Network,
    name: str,
    train: PreparedSet,
    val: PreparedSet,
    settings: TrainSettings,
    folder: Path,
    progress: Callable[[str], None] | None = None,
    *,
    mask_channel: bool = False,
    views: Sequence[float] = (1.0,),
) -> History:
    """Train a network in place; keep the weights of the best epoch, of the last, or the mean of several trainings.

    After every epoch ``folder/last.ckpt`` is written; a call with the same folder resumes from it. On the CPU a resumed
    run ends with exactly the weights of an uninterrupted one.

    Args:
        network: The network; it has the kept weights afterwards.
        name: ``"segmenter"`` or ``"classifier"``, for logs and history.
        train: Training images.
        val: Validation images, which choose the epoch.
        settings: The recipe's ``train`` section.
        folder: For checkpoints, ``history.csv`` and TensorBoard logs.
        progress: Called with one line per epoch.
        mask_channel: The images' last channel is a mask, whose values augmentation does not change.
        views: Probability of each view of a training image, sum 1: ``train`` holds the first views of all images, then
            the second ones, and so on; an epoch draws one view of each.

    Returns:
        The training history; with several members that of the first.

    Raises:
        DataError: Fewer than two training images, or none for validation.
        Interrupted: Stopped by Ctrl-C; call again to resume.
    """
    if settings.members == 1:
        return _fit(network, name, train, val, settings, folder, progress, mask_channel=mask_channel, views=views)
    initial = {key: value.clone() for key, value in network.state_dict().items()}
    weights: list[Weights] = []
    histories = []
    for member in range(settings.members):
        network.load_state_dict(initial)
        network.train()  # the training before has left it in evaluation mode
        if progress:
            progress(f"training {member + 1} of {settings.members}")
        one = replace(settings, members=1, seed=member_seed(settings.seed, member))
        place = folder / f"member-{member + 1}"
        histories.append(_fit(network, name, train, val, one, place, progress, mask_channel=mask_channel, views=views))
        weights.append({key: value.clone() for key, value in network.state_dict().items()})
    network.load_state_dict(mean_weights(weights))
    renew_statistics(network, train, settings, views, mask_channel=mask_channel)
    return histories[0]


def _fit(
    network: Network,
    name: str,
    train: PreparedSet,
    val: PreparedSet,
    settings: TrainSettings,
    folder: Path,
    progress: Callable[[str], None] | None,
    *,
    mask_channel: bool,
    views: Sequence[float],
) -> History:
    """Train a network once; see `fit`."""
    if len(train) < 2 * len(views) or not len(val):
        raise DataError(
            f"{name}: {len(train)} images to train on and {len(val)} to validate; at least two and one are needed"
        )
    if settings.channels_last:
        network.to(memory_format=torch.channels_last)
    monitor, mode = ("val_loss", "min") if name == "classifier" else ("val_dice", "max")
    if not _is_finished(folder / LAST, settings):
        keeper = HistoryKeeper(folder / HISTORY_FILE, progress)
        callbacks: list[Callback] = [keeper, *_checkpoints(folder, monitor, mode, settings)]
        if settings.patience:
            callbacks.append(EarlyStopping(monitor, mode=mode, patience=settings.patience))
        if started_by_torchrun():
            callbacks.append(EndsWhenTold())
        if settings.ema_decay:
            callbacks.append(EMAWeightAveraging(decay=settings.ema_decay))
        epoch = int(read_checkpoint(folder / LAST)["epoch"]) + 1 if (folder / LAST).exists() else 0
        module = TrainingModule(network, settings, _weights(network, train, settings), mask_channel)
        try:
            _run_trainer(module, PreparedDataModule(train, val, settings, epoch, views), settings, folder, callbacks)
        except SystemExit as stop:
            # Lightning exits the process on Ctrl-C; that is the caller's decision.
            raise Interrupted(f"{name}: stopped after epoch {len(keeper.rows)} of {settings.epochs}") from stop
    epoch = _load(network, folder / (LAST if settings.checkpoint == "last" else BEST))
    # From the file and not from the callback: with several devices the callback was in other processes.
    rows = read_csv_text((folder / HISTORY_FILE).read_text(encoding="utf-8"))
    return History(name, rows, epoch, monitor if settings.checkpoint == "best" else "last")


def _is_finished(last: Path, settings: TrainSettings) -> bool:
    """Return whether an earlier call trained to the end, so that a resumed run does not train on."""
    if not last.exists():
        return False
    checkpoint = read_checkpoint(last)
    waited = [state["wait_count"] for state in checkpoint["callbacks"].values() if "wait_count" in state]
    stopped = bool(settings.patience) and any(count >= settings.patience for count in waited)
    return stopped or int(checkpoint["epoch"]) + 1 >= settings.epochs


def _checkpoints(folder: Path, monitor: str, mode: str, settings: TrainSettings) -> list[Callback]:
    # Two of them: with `save_last` Lightning writes the last epoch only when it was also the best one so far.
    last = ModelCheckpoint(folder, Path(LAST).stem, save_on_train_epoch_end=True, enable_version_counter=False)
    if settings.checkpoint == "last":
        return [last]
    return [ModelCheckpoint(folder, Path(BEST).stem, monitor=monitor, mode=mode, enable_version_counter=False), last]


def _run_trainer(
    module: TrainingModule,
    data: PreparedDataModule,
    settings: TrainSettings,
    folder: Path,
    callbacks: list[Callback],
) -> None:
    with _quiet():
        trainer = lightning.Trainer(
            **trainer_device(settings),
            max_epochs=settings.epochs,
            accumulate_grad_batches=settings.accumulate,
            # The sampler shares images among processes itself: Lightning's wrapper would not tell it the epoch.
            use_distributed_sampler=False,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            logger=TensorBoardLogger(folder, name="", version="tensorboard"),
            # Lightning draws its bar on standard output, which may be a file.
            enable_progress_bar=sys.stderr.isatty() and sys.stdout.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
        try:
            trainer.fit(module, datamodule=data, ckpt_path=folder / LAST if data.sampler.epoch else None)
        except TorchDynamoException as error:
            first = str(error).strip().splitlines()[0]
            raise ConfigError(
                f"train.compile: torch.compile fails on this network ({first[:100]}); set it to false"
            ) from error
        except RuntimeError as error:
            if not str(error).startswith("DataLoader worker"):
                raise
            raise DataError(
                f"train.workers = {settings.workers}: {str(error).splitlines()[0]}, as where memory ends; lower it, or "
                "set it to 0; --resume goes on at the last finished epoch"
            ) from error


def _weights(network: Network, train: PreparedSet, settings: TrainSettings) -> torch.Tensor | None:
    if not settings.class_weights or network.head is None:
        return None
    return class_weights(train.targets, network.head.linear.out_features)


def _load(network: Network, path: Path) -> int:
    checkpoint = read_checkpoint(path)
    kept = {key: value for key, value in checkpoint["state_dict"].items() if key.startswith("network.")}
    network.load_state_dict({key.removeprefix("network."): value for key, value in kept.items()})
    network.eval()
    return int(checkpoint["epoch"]) + 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Lightning's greetings and hints about loader workers on the terminal, within this block only."""
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
