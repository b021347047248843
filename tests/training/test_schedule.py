"""The step size at every step of a training, against the formulas that recipes promise."""

from __future__ import annotations

import math

import pytest
import torch

from busight.training.schedule import build_schedule
from busight.training.settings import TrainSettings


def shares(settings: TrainSettings, steps_per_epoch: int) -> list[float]:
    """Return the step size of every step of a training, as a share of the learning rate."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=settings.learning_rate)
    schedule = build_schedule(optimizer, settings, steps_per_epoch)
    found = []
    for _ in range(settings.epochs * steps_per_epoch):
        found.append(optimizer.param_groups[0]["lr"] / settings.learning_rate)
        optimizer.step()
        schedule.step()
    return found


def test_constant_is_constant() -> None:
    assert shares(TrainSettings(schedule="constant", epochs=5), 7) == [1.0] * 35


@pytest.mark.parametrize(("step_size", "epochs"), [(1, 1), (2, 7), (3, 9), (5, 4)])
def test_step_multiplies_every_so_many_epochs(step_size: int, epochs: int) -> None:
    settings = TrainSettings(schedule="step", step_size=step_size, lr_gamma=0.3, epochs=epochs)
    expected = [0.3 ** (step // 4 // step_size) for step in range(4 * epochs)]
    assert shares(settings, 4) == pytest.approx(expected, rel=1e-12)


def test_step_multiplies_after_named_epochs_and_twice_where_one_is_named_twice() -> None:
    settings = TrainSettings(schedule="step", step_epochs=(2, 3, 6, 6), lr_gamma=0.5, epochs=8)
    by_epoch = [1, 1, 0.5, 0.25, 0.25, 0.25, 0.0625, 0.0625]
    assert shares(settings, 3) == pytest.approx([share for share in by_epoch for _ in range(3)], rel=1e-12)


@pytest.mark.parametrize(("warmup_epochs", "epochs"), [(0.0, 3), (1.0, 10), (2.5, 4), (1.0, 1), (30.0, 2)])
def test_cosine_rises_over_the_warm_up_and_falls_along_half_a_cosine(warmup_epochs: float, epochs: int) -> None:
    settings = TrainSettings(schedule="cosine", epochs=epochs, warmup_epochs=warmup_epochs)
    warmup, total = int(warmup_epochs * 10), epochs * 10
    rise = [(step + 1) / (warmup + 1) for step in range(min(warmup, total))]
    fall = [0.5 * (1 + math.cos(math.pi * step / (total - warmup))) for step in range(total - warmup)]
    found = shares(settings, 10)
    assert found == pytest.approx([*rise, *fall], abs=1e-12)
    assert found.index(max(found)) == min(warmup, total - 1)


def test_a_warm_up_of_part_of_a_step_is_rounded() -> None:
    settings = TrainSettings(schedule="cosine", epochs=2, warmup_epochs=0.35)
    assert shares(settings, 4) == shares(TrainSettings(schedule="cosine", epochs=2, warmup_epochs=0.25), 4)
