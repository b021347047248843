"""The Lightning module of a network: training and validation steps, metrics of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from busight.classify.network import Network, NetworkOutput
from busight.training.augment import build_augmentation
from busight.training.losses import batch_dice, class_loss, mask_loss
from busight.training.prepared import Batch
from busight.training.schedule import OPTIMIZERS, build_schedule
from busight.training.settings import TrainSettings


class TrainingModule(lightning.LightningModule):
    """Training of any network of `busight.classify.network`: class, mask or both, whichever it returns."""

    def __init__(
        self, network: Network, settings: TrainSettings, weights: Tensor | None, mask_channel: bool = False
    ) -> None:
        super().__init__()
        self.mask_channel = mask_channel
        self.network = network
        self.settings = settings
        self.augment: nn.Module | None = None
        self.register_buffer("class_weights", weights, persistent=False)

    def setup(self, stage: str) -> None:
        """Build the augmentation in the process that uses it: Kornia's tensors cannot be handed to another one."""
        self.augment = build_augmentation(self.settings.augment, self.mask_channel)
        if self.settings.compile:
            # In place: names in checkpoints stay those of the network. Dropout draws the numbers of an uncompiled one.
            self.network.compile(options={"fallback_random": True})

    def teardown(self, stage: str) -> None:
        """Take the compiled form away: what exports the network needs the network itself."""
        self.network._compiled_call_impl = None

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return optimizer and schedule of the recipe."""
        optimizer = OPTIMIZERS[self.settings.optimizer](self.network.parameters(), self.settings)
        # Steps as the trainer counts them: with several devices an epoch has fewer.
        steps_per_epoch = int(self.trainer.estimated_stepping_batches) // self.settings.epochs
        schedule = build_schedule(optimizer, self.settings, steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one augmented batch."""
        # Seeded from seed, epoch, batch and device, and not once at the start: a resumed run draws the same numbers as
        # an uninterrupted one.
        with _seeded(self.device, self.settings.seed, self.current_epoch, batch_idx, self.global_rank):
            images, masks, known, targets = self._augmented(batch)
            network_output = self.network(self._layout(images))
        loss = self._loss(network_output, masks, known, targets)
        self._report("train", loss, network_output, masks, known, targets)
        return loss

    def augmented(self, batch: Batch, epoch: int, place: int) -> Batch:
        """Return a batch of an epoch as a training step sees it, images float32 (N, C, H, W) in 0–1."""
        with _seeded(self.device, self.settings.seed, epoch, place, 0):
            images, *rest = self._augmented(batch)
        return (self._layout(images), *rest)  # type: ignore[return-value]

    def _augmented(self, batch: Batch) -> Batch:
        images, masks, known, targets = _as_float(batch)
        if self.augment is not None:
            # In full precision: at half precision the geometry would be off by most of a pixel.
            with torch.autocast(self.device.type, enabled=False):
                images, masks = self.augment(images, masks)
        return images, masks, known, targets

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Compute loss and metrics of one batch without augmentation."""
        images, masks, known, targets = _as_float(batch)
        network_output = self.network(self._layout(images))
        self._report("val", self._loss(network_output, masks, known, targets), network_output, masks, known, targets)

    def _layout(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=torch.channels_last) if self.settings.channels_last else images

    def _loss(self, found: NetworkOutput, masks: Tensor, known: Tensor, targets: Tensor) -> Tensor:
        parts: list[Tensor] = []
        if found.logits is not None:
            weights = self.class_weights if isinstance(self.class_weights, Tensor) else None
            parts.append(class_loss(found.logits, targets, weights, self.settings.label_smoothing))
        if found.mask_logits is not None:
            share = self.settings.seg_loss_weight if found.logits is not None else 1.0
            parts.append(share * mask_loss(found.mask_logits, masks, known, self.settings.seg_loss))
        return torch.stack(parts).sum()

    def _report(
        self, part: str, loss: Tensor, found: NetworkOutput, masks: Tensor, known: Tensor, targets: Tensor
    ) -> None:
        def log(name: str, value: Tensor, n: int) -> None:
            self.log(f"{part}_{name}", value, on_step=False, on_epoch=True, batch_size=n, sync_dist=True)

        log("loss", loss.detach(), len(targets))
        labelled = targets >= 0
        if found.logits is not None and bool(labelled.any()):
            right = found.logits[labelled].argmax(dim=1) == targets[labelled]
            log("accuracy", right.float().mean(), int(labelled.sum()))
        if found.mask_logits is not None and part == "val":
            dice = batch_dice(found.mask_logits[known], masks[known])
            if len(dice):
                log("dice", dice.mean(), len(dice))


@contextmanager
def _seeded(device: torch.device, *numbers: int) -> Iterator[None]:
    """Seed PyTorch's generators for a block and restore them afterwards: Kornia and dropout take no generator.

    Args:
        device: The device of the block; the CPU's generator is seeded too.
        numbers: Non-negative; each sequence of them gives draws of its own.
    """
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield


def _as_float(batch: Batch) -> Batch:
    images, masks, known, targets = batch
    return images.float() / 255, masks.float(), known, targets
