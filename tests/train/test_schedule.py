from __future__ import annotations

import math

import pytest
import torch

from busight.train.schedule import build_schedule, factor
from busight.train.settings import TrainSettings


def test_step_equals_pytorchs_step_lr() -> None:
    settings = TrainSettings(schedule="step", step_size=2, gamma=0.3, epochs=7, learning_rate=0.1)
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    ours = torch.optim.SGD(parameters, lr=0.1)
    theirs = torch.optim.SGD(parameters, lr=0.1)
    schedule = build_schedule(ours, settings, steps_per_epoch=4)
    reference = torch.optim.lr_scheduler.StepLR(theirs, step_size=2, gamma=0.3)
    for _ in range(7):
        for _ in range(4):
            assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"])
            ours.step()
            schedule.step()
        theirs.step()
        reference.step()


def test_cosine_rises_over_the_warm_up_and_ends_at_zero() -> None:
    settings = TrainSettings(schedule="cosine", epochs=10, warmup_epochs=1)
    values = [factor(step, settings, 10) for step in range(101)]
    assert values[:11] == sorted(values[:11])
    assert values[10:] == sorted(values[10:], reverse=True)
    assert values[10] == 1
    assert values[100] == pytest.approx(0)
    # Half way between warm-up and end: half of the highest.
    assert values[55] == pytest.approx(0.5)


def test_constant_is_constant() -> None:
    assert {factor(step, TrainSettings(schedule="constant"), 7) for step in range(50)} == {1.0}


def test_step_needs_no_warm_up_and_never_grows() -> None:
    values = [factor(step, TrainSettings(schedule="step", step_size=1, gamma=0.5), 3) for step in range(9)]
    assert values == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    assert all(math.isfinite(value) for value in values)


def test_steps_after_named_epochs_equal_pytorchs_multi_step_lr() -> None:
    settings = TrainSettings(schedule="step", step_epochs=(2, 3, 6), gamma=0.3, epochs=8)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3, 6], gamma=0.3)
    for epoch in range(8):
        ours = [factor(4 * epoch + batch, settings, 4) for batch in range(4)]
        assert ours == pytest.approx([optimizer.param_groups[0]["lr"]] * 4)
        optimizer.step()
        reference.step()
