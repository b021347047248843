"""Images a second of the training loop over those of bare forward, backward and optimizer step, in one run.

    python benchmarks/training_loop.py [RECIPE] [--set KEY=VALUE ...] [--images 64] [--rounds 5]

The loop is what `busight run` runs: augmentation, logging, checkpoints, one validation image. Bare is the same network
in the same precision and memory layout on one batch that lies in memory as float. After every epoch of the loop bare
takes as many steps, so that other work on the machine meets both; the ratio is the median over the rounds, with the
smallest and the largest.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from busight.classify.network import Network
from busight.experiments.networks import build_networks
from busight.recipes.load import load_recipe
from busight.training.accelerator import trainer_device
from busight.training.fit import fit
from busight.training.losses import class_loss, mask_loss
from busight.training.prepared import PreparedSet, Rows
from busight.training.schedule import OPTIMIZERS
from busight.training.settings import TrainSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="default")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of the recipe")
    parser.add_argument("--images", type=int, default=64, help="images of an epoch")
    parser.add_argument("--rounds", type=int, default=5, help="epochs that are measured, after one that is not")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe, ["classify.weights=none", "segment.weights=none", *options.set])
    network = build_networks(recipe, 3)["classifier"].network
    settings = replace(recipe.train, epochs=options.rounds + 1, patience=0)
    channels = 3 if recipe.strategy.mask_channel else max(1, len(recipe.enhance.channels))
    loop, bare = measure(network, settings, random_images(options.images, recipe.classify.size, channels))
    n_images = options.images // settings.batch * settings.batch
    rates = [n_images / statistics.median(seconds) for seconds in (loop, bare)]
    ratios = [of_bare / of_loop for of_loop, of_bare in zip(loop, bare, strict=True)]
    spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    print(f"| {options.recipe} {' '.join(options.set)} | {rates[0]:.1f} | {rates[1]:.1f} | {spread} |")


def random_images(n_images: int, size: int, channels: int = 1) -> PreparedSet:
    """Return random images of three classes, each with a square mask."""
    rng = np.random.default_rng(0)
    shape = (n_images, size, size)
    images = rng.integers(0, 256, shape if channels == 1 else (*shape, channels), dtype=np.uint8)
    masks = np.zeros(shape, np.uint8)
    masks[:, size // 4 : size // 2, size // 4 : size // 2] = 1
    targets = np.arange(n_images, dtype=np.int64) % 3
    known = np.ones(n_images, np.bool_)
    ids = tuple(map(str, range(n_images)))
    return PreparedSet(ids, Rows([images]), Rows([masks]), known, targets, np.zeros_like(targets), targets)


@dataclass(slots=True)
class Rounds:
    """Times the loop between its epochs, and bare steps in the pauses."""

    bare_steps: Callable[[], None]
    loop: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    _resumed: float | None = None

    def __call__(self, line: str) -> None:
        """Receive the line that `fit` gives at the end of an epoch."""
        now = time.perf_counter()
        if self._resumed is not None:
            self.loop.append(now - self._resumed)
        started = time.perf_counter()
        self.bare_steps()
        if self._resumed is not None:
            self.bare.append(time.perf_counter() - started)
        self._resumed = time.perf_counter()


def measure(network: Network, settings: TrainSettings, images: PreparedSet) -> tuple[list[float], list[float]]:
    """Return the seconds of each epoch of the loop, and of as many bare steps."""
    rounds = Rounds(_bare(copy.deepcopy(network), settings, images))
    with tempfile.TemporaryDirectory() as folder:
        fit(network, "classifier", images, images.select(np.arange(1)), settings, Path(folder), rounds)
    return rounds.loop, rounds.bare


def _bare(network: Network, settings: TrainSettings, images: PreparedSet) -> Callable[[], None]:
    given = trainer_device(settings)
    device = torch.device("cuda" if given["accelerator"] == "gpu" else "cpu")
    half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(given["precision"])
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    network = network.to(device).to(memory_format=layout).train()
    optimizer = OPTIMIZERS[settings.optimizer](network.parameters(), settings)
    rows = np.arange(settings.batch) % len(images)
    pixels = images.images[rows]
    pixels = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    batch = (torch.from_numpy(pixels).to(device).float() / 255).contiguous(memory_format=layout)
    masks = torch.from_numpy(images.masks[rows]).to(device)[:, None].float()
    known, targets = (torch.from_numpy(values[rows]).to(device) for values in (images.mask_known, images.targets))

    def step() -> None:
        with torch.autocast(device.type, half, enabled=half is not None):
            network_output = network(batch)
            assert network_output.logits is not None
            loss = class_loss(network_output.logits, targets, None, settings.label_smoothing)
            if network_output.mask_logits is not None:
                loss = loss + mask_loss(network_output.mask_logits, masks, known, settings.seg_loss)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def steps() -> None:
        for _ in range(len(images) // settings.batch):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return steps


if __name__ == "__main__":
    main()
