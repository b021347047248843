"""Prepared images as arrays on disk, and the loaders that feed them to a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from busight.train.settings import Balance

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""images uint8 (N, 1 or 3, H, W), masks uint8 (N, 1, H, W), known masks bool (N,), targets int64 (N,)."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPart:
    """One part of a split, ready for a network; arrays may be memory maps.

    Attributes:
        images: uint8 (N, S, S), or (N, S, S, 3) with channels.
        masks: uint8 (N, S, S), 0 or 1.
        mask_known: bool (N,): False where no outline was drawn, which is not the same as no lesion.
        targets: int64 (N,); -1 where there is none.
        sources: int64 (N,), a number for each data set that images come from.
        findings: int64 (N,), a number for each finding, whatever the task; -1 where it is not known.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    mask_known: NDArray[np.bool_]
    targets: NDArray[np.int64]
    sources: NDArray[np.int64]
    findings: NDArray[np.int64]


def joined(first: PreparedPart, second: PreparedPart) -> PreparedPart:
    """Return the images of two parts as one part, for training on two looks at each image."""
    return PreparedPart(
        np.concatenate([first.images, second.images]),
        np.concatenate([first.masks, second.masks]),
        np.concatenate([first.mask_known, second.mask_known]),
        np.concatenate([first.targets, second.targets]),
        np.concatenate([first.sources, second.sources]),
        np.concatenate([first.findings, second.findings]),
    )


class PreparedDataset(Dataset[Batch]):
    """Hands out whole batches: one indexing operation instead of N."""

    def __init__(self, part: PreparedPart) -> None:
        self.part = part

    def __len__(self) -> int:
        return len(self.part.targets)

    def __getitems__(self, index: list[int]) -> Batch:
        """Return a batch for a list of indices."""
        part = self.part
        return (
            _channels_first(torch.from_numpy(part.images[index])),
            torch.from_numpy(part.masks[index])[:, None],
            torch.from_numpy(part.mask_known[index]),
            torch.from_numpy(part.targets[index]),
        )


def _channels_first(images: Tensor) -> Tensor:
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)


def sampling_shares(part: PreparedPart, balance: Balance) -> NDArray[np.float64] | None:
    """Return how probably each image is drawn, float64 (N,), sum 1; None where each comes once an epoch.

    Args:
        part: The training part.
        balance: ``source``: each data set as often as any other; ``class``: each finding; ``source-class``: each
            finding of each data set.
    """
    if balance == "none":
        return None
    strata = {
        "source": part.sources,
        "class": part.findings,
        "source-class": part.sources * (part.findings.max() + 2) + part.findings,
    }[balance]
    _, place, counts = np.unique(strata, return_inverse=True, return_counts=True)
    shares: NDArray[np.float64] = 1 / (len(counts) * counts[place])
    return shares


class EpochShuffle(Sampler[int]):
    """An order that depends on seed and epoch alone, so that a resumed run sees what an uninterrupted one would."""

    def __init__(self, length: int, seed: int, shares: NDArray[np.float64] | None = None) -> None:
        """Remember what to draw from.

        Args:
            length: N images an epoch.
            seed: Of the order.
            shares: float64 (N,), how probably each image is drawn, with replacement; None for each once.
        """
        self.length = length
        self.seed = seed
        self.shares = shares
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.shares is None:
            return iter(rng.permutation(self.length).tolist())
        return iter(rng.choice(self.length, self.length, p=self.shares).tolist())


def train_loader(part: PreparedPart, batch: int, sampler: EpochShuffle) -> DataLoader[Batch]:
    """Return a loader in an order drawn anew each epoch. A last batch of one image is dropped: it has no variance."""
    dataset = PreparedDataset(part)
    return DataLoader(dataset, batch, sampler=sampler, collate_fn=_whole, drop_last=len(dataset) % batch == 1)


def plain_loader(part: PreparedPart, batch: int) -> DataLoader[Batch]:
    """Return a loader in the given order."""
    return DataLoader(PreparedDataset(part), batch, collate_fn=_whole)


def _whole(batch: Any) -> Any:
    # The data set hands out whole batches already.
    return batch


def class_weights(targets: Sequence[int] | NDArray[np.int64], classes: int) -> Tensor:
    """Weigh classes by the inverse of their frequency, with mean 1 over the cases.

    Example:
        >>> class_weights([0, 0, 0, 1], 2)
        tensor([0.6667, 2.0000])
    """
    counts = np.bincount([target for target in targets if target >= 0], minlength=classes)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return torch.tensor(weights, dtype=torch.float32)
