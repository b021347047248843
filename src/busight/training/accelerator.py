"""Devices and precision of the training, checked before any work is done."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import torch
from torch._dynamo.exc import TorchDynamoException

from busight.errors import ConfigError
from busight.training.settings import TrainSettings


def trainer_device(settings: TrainSettings) -> dict[str, Any]:
    """Return Lightning's arguments for devices, strategy and precision.

    Raises:
        ConfigError: A GPU is requested where there is none, or more devices than there are; nothing can be compiled.
    """
    given = _of_torchrun(settings) if started_by_torchrun() else _of_this_process(settings)
    if settings.compile:
        _require_compiler("cuda" if given["accelerator"] == "gpu" else "cpu")
    return given


def _of_this_process(settings: TrainSettings) -> dict[str, Any]:
    gpus = torch.cuda.device_count() if settings.accelerator != "cpu" and torch.cuda.is_available() else 0
    if settings.accelerator == "gpu" and not gpus:
        raise ConfigError("train.accelerator = gpu: PyTorch sees no GPU; use auto or cpu, see `busight doctor`")
    devices = max(1, gpus) if settings.devices == "auto" else settings.devices
    # On the CPU each device is a process with a copy of everything: more of them than cores only use memory.
    most, kind = (gpus, "GPU(s)") if gpus else (os.cpu_count() or 1, "CPU core(s)")
    if devices > most:
        raise ConfigError(f"train.devices = {devices}: this machine has {most} {kind}; give at most that many")
    return {
        "accelerator": "gpu" if gpus else "cpu",
        "devices": devices,
        # Spawned and not launched as a script: the command line must not run twice. Some encoders have layers that only
        # ImageNet's classifier used; they have no gradient, which plain DDP reports as an error.
        "strategy": "ddp_spawn_find_unused_parameters_true" if devices > 1 else "auto",
        "precision": _precision(settings, bool(gpus)),
    }


def started_by_torchrun() -> bool:
    """Return whether this is one of several processes that ``torchrun`` started."""
    return torch.distributed.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1


def _of_torchrun(settings: TrainSettings) -> dict[str, Any]:
    """Return Lightning's arguments where ``torchrun`` has started the processes: as many devices as it started."""
    on_gpu = settings.accelerator != "cpu" and torch.cuda.is_available()
    if settings.accelerator == "gpu" and not on_gpu:
        raise ConfigError("train.accelerator = gpu: PyTorch sees no GPU; use auto or cpu, see `busight doctor`")
    of_node = int(os.environ["LOCAL_WORLD_SIZE"])
    return {
        "accelerator": "gpu" if on_gpu else "cpu",
        "devices": of_node,
        "num_nodes": int(os.environ["WORLD_SIZE"]) // of_node,
        "strategy": "ddp_find_unused_parameters_true",
        "precision": _precision(settings, on_gpu),
    }


def _precision(settings: TrainSettings, on_gpu: bool) -> str:
    if settings.precision != "auto":
        return settings.precision
    if not on_gpu:
        return "32-true"
    # Older GPUs emulate bfloat16, slower than they compute in float32.
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"


@cache
def _require_compiler(device: str) -> None:
    """Compile one addition, so that a missing compiler is not reported after the data were read."""
    try:
        torch.compile(torch.add)(torch.ones(1, device=device), 1)
    except (TorchDynamoException, RuntimeError) as error:
        causes = [line for line in str(error).splitlines() if line.strip()]
        raise ConfigError(
            f"train.compile: torch.compile fails on this machine ({causes[0][:120]}); install a C++ compiler such "
            "as g++, or set it to false"
        ) from error
