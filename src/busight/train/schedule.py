"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from busight.train.settings import TrainSettings

OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], TrainSettings], Optimizer]] = {
    "adam": lambda p, s: torch.optim.Adam(p, lr=s.learning_rate, weight_decay=s.weight_decay),
    "adamw": lambda p, s: torch.optim.AdamW(p, lr=s.learning_rate, weight_decay=s.weight_decay),
    "sgd": lambda p, s: torch.optim.SGD(p, lr=s.learning_rate, momentum=0.9, weight_decay=s.weight_decay),
}


def build_schedule(optimizer: Optimizer, settings: TrainSettings, steps_per_epoch: int) -> LRScheduler:
    """Build the schedule; it is stepped after every batch.

    Args:
        optimizer: Whose step size it sets.
        settings: The recipe's ``train`` section.
        steps_per_epoch: Batches in one epoch.
    """
    return LambdaLR(optimizer, lambda step: factor(step, settings, steps_per_epoch))


def factor(step: int, settings: TrainSettings, steps_per_epoch: int) -> float:
    """Return the step size at a step as a share of ``learning_rate``.

    ``step`` equals PyTorch's StepLR, or with ``step_epochs`` its MultiStepLR, stepped once an epoch; ``cosine`` rises
    linearly over the warm-up and falls to zero along half a cosine (Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, one
    cycle).

    Example:
        >>> [factor(step, TrainSettings(schedule="step", step_size=2), 10) for step in (0, 19, 20)]
        [1.0, 1.0, 0.1]
    """
    if settings.schedule == "constant":
        return 1.0
    if settings.schedule == "step":
        done = step // steps_per_epoch
        steps = sum(done >= epoch for epoch in settings.step_epochs)
        return float(settings.gamma ** (steps if settings.step_epochs else done // settings.step_size))
    warmup = settings.warmup_epochs * steps_per_epoch
    total = settings.epochs * steps_per_epoch
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1.0, total - warmup))))
