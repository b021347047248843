"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, LRScheduler, MultiStepLR, SequentialLR

from busight.training.settings import TrainSettings

OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], TrainSettings], Optimizer]] = {
    "adam": lambda p, s: torch.optim.Adam(p, lr=s.learning_rate, weight_decay=s.weight_decay),
    "adamw": lambda p, s: torch.optim.AdamW(p, lr=s.learning_rate, weight_decay=s.weight_decay),
    "sgd": lambda p, s: torch.optim.SGD(p, lr=s.learning_rate, momentum=0.9, weight_decay=s.weight_decay),
}


def build_schedule(optimizer: Optimizer, settings: TrainSettings, steps_per_epoch: int) -> LRScheduler:
    """Build the schedule; it is stepped after every batch.

    ``step`` multiplies by ``gamma`` every ``step_size`` epochs or after each of ``step_epochs``; ``cosine`` rises
    linearly over the warm-up, rounded to whole steps, and falls to zero along half a cosine (Loshchilov and Hutter,
    SGDR, ICLR 2017, eq. 5, one cycle).

    Args:
        optimizer: The optimizer, whose learning rate it sets.
        settings: The recipe's ``train`` section.
        steps_per_epoch: Batches in one epoch.
    """
    if settings.schedule == "constant":
        return ConstantLR(optimizer, factor=1.0)
    if settings.schedule == "step":
        epochs = settings.step_epochs or range(settings.step_size, settings.epochs, settings.step_size)
        return MultiStepLR(optimizer, [epoch * steps_per_epoch for epoch in epochs], settings.lr_gamma)
    warmup = round(settings.warmup_epochs * steps_per_epoch)
    cosine = CosineAnnealingLR(optimizer, max(1, settings.epochs * steps_per_epoch - warmup))
    if not warmup:
        return cosine
    rise = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    return SequentialLR(optimizer, [rise, cosine], [warmup])
