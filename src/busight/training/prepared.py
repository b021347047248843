"""Prepared images as arrays on disk, and the order in which they are drawn."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.utils.data import Dataset, Sampler

from busight.training.settings import Balance

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""images uint8 (N, 1 or 3, H, W), masks uint8 (N, 1, H, W), known masks bool (N,), targets int64 (N,)."""


class Rows:
    """Rows of one or several arrays, in any order, read only when indexed."""

    def __init__(self, arrays: Sequence[NDArray[np.uint8]], places: NDArray[np.int64] | None = None) -> None:
        """Index rows of arrays, without reading them.

        Args:
            arrays: uint8 (N, ...), alike but for N; memory maps stay memory maps.
            places: int64 (M, 2), for each row the number of its array and its row there; None for all, in order.
        """
        self.arrays = tuple(arrays)
        if places is None:
            places = np.array([(i, row) for i, array in enumerate(arrays) for row in range(len(array))], np.int64)
        self.places = places.reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the indexed rows as an array in memory, uint8 (len(index), ...)."""
        places = self.places[np.asarray(index, np.int64)]
        batch = np.empty((len(places), *self.arrays[0].shape[1:]), np.uint8)
        for number, array in enumerate(self.arrays):
            chosen = places[:, 0] == number
            batch[chosen] = array[places[chosen, 1]]
        return batch

    def __reduce__(self) -> tuple[Any, ...]:
        # NumPy would pickle a map with all that is in it; each process of a training on several devices maps the file.
        return _rows_of, (tuple(_file_of(array) or array for array in self.arrays), self.places)

    def select(self, rows: NDArray[np.int64]) -> Rows:
        """Return a subset of the rows, without reading them."""
        return Rows(self.arrays, self.places[rows])

    def followed_by(self, other: Rows) -> Rows:
        """Return the concatenation with other rows, without reading them."""
        moved = np.add(other.places, (len(self.arrays), 0))
        return Rows(self.arrays + other.arrays, np.concatenate([self.places, moved]))


def _file_of(array: NDArray[np.uint8]) -> str | None:
    """Return the .npy file that an array maps as a whole; None for a part of a map and for what is in memory."""
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap):
        return str(array.filename)
    return None


def _rows_of(sources: Sequence[str | NDArray[np.uint8]], places: NDArray[np.int64]) -> Rows:
    return Rows([np.load(item, mmap_mode="r") if isinstance(item, str) else item for item in sources], places)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSet:
    """Images, masks and targets at the input size of one network.

    Attributes:
        sample_ids: N ids; one may come several times, with another crop each.
        images: uint8 (N, S, S), or (N, S, S, 3) with channels.
        masks: uint8 (N, S, S), 0 or 1.
        mask_known: bool (N,): False without an annotated mask, which is not the same as no lesion.
        targets: int64 (N,); -1 where there is none.
        sources: int64 (N,), a number for each data set that images come from.
        label_ids: int64 (N,), a number for each label of the source, independent of the task; -1 where unknown.
    """

    sample_ids: tuple[str, ...]
    images: Rows
    masks: Rows
    mask_known: NDArray[np.bool_]
    targets: NDArray[np.int64]
    sources: NDArray[np.int64]
    label_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    def subset(self, sample_ids: Sequence[str]) -> PreparedSet:
        """Return the rows of the given samples, in the order of their ids."""
        row_of = {sample_id: row for row, sample_id in enumerate(self.sample_ids)}
        return self.select(np.array([row_of[sample_id] for sample_id in sample_ids], dtype=np.int64))

    def select(self, rows: NDArray[np.int64]) -> PreparedSet:
        """Return a subset of the rows; no image is read."""
        return PreparedSet(
            tuple(self.sample_ids[row] for row in rows),
            self.images.select(rows),
            self.masks.select(rows),
            self.mask_known[rows],
            self.targets[rows],
            self.sources[rows],
            self.label_ids[rows],
        )


def concat(first: PreparedSet, second: PreparedSet) -> PreparedSet:
    """Return the images of two sets as one set, for training on two views of each image; no image is read."""
    return PreparedSet(
        first.sample_ids + second.sample_ids,
        first.images.followed_by(second.images),
        first.masks.followed_by(second.masks),
        np.concatenate([first.mask_known, second.mask_known]),
        np.concatenate([first.targets, second.targets]),
        np.concatenate([first.sources, second.sources]),
        np.concatenate([first.label_ids, second.label_ids]),
    )


class PreparedDataset(Dataset[Batch]):
    """Data set that returns whole batches: one indexing operation instead of N."""

    def __init__(self, prepared: PreparedSet) -> None:
        self.prepared = prepared

    def __len__(self) -> int:
        return len(self.prepared)

    def __getitems__(self, index: list[int]) -> Batch:
        """Return a batch for a list of indices."""
        prepared = self.prepared
        return (
            _channels_first(torch.from_numpy(prepared.images[index])),
            torch.from_numpy(prepared.masks[index])[:, None],
            torch.from_numpy(prepared.mask_known[index]),
            torch.from_numpy(prepared.targets[index]),
        )


def _channels_first(images: Tensor) -> Tensor:
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)


def sampling_shares(prepared: PreparedSet, balance: Balance) -> NDArray[np.float64] | None:
    """Return the sampling probability of each image, float64 (N,), sum 1; None where each is drawn once an epoch.

    Args:
        prepared: The training images.
        balance: What is drawn equally often: ``source``, each data set; ``class``, each label; ``source-class``, each
            label of each data set.
    """
    if balance == "none":
        return None
    strata = {
        "source": prepared.sources,
        "class": prepared.label_ids,
        "source-class": prepared.sources * (prepared.label_ids.max() + 2) + prepared.label_ids,
    }[balance]
    _, place, counts = np.unique(strata, return_inverse=True, return_counts=True)
    shares: NDArray[np.float64] = 1 / (len(counts) * counts[place])
    return shares


class EpochShuffle(Sampler[int]):
    """An order that depends on seed and epoch alone, so that a resumed run has the order of an uninterrupted one.

    With several processes each takes every n-th image of that order, so that their batches together are those of one
    process with an n times larger batch.
    """

    def __init__(
        self,
        length: int,
        batch: int,
        seed: int,
        shares: NDArray[np.float64] | None = None,
        views: Sequence[float] = (1.0,),
    ) -> None:
        """Set what is drawn from.

        Args:
            length: N images an epoch.
            batch: Images a step; a last batch of one image is left out: it has no variance.
            seed: Seed of the order.
            shares: float64 (N,), sampling probabilities, with replacement; None for each once.
            views: Probability of each view of an image, sum 1. The set holds the first views of all images, then the
                second ones, and so on.
        """
        self.length = length
        self.batch = batch
        self.seed = seed
        self.shares = shares
        self.views = tuple(views)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        of_process = -(-self.length // _processes())
        return of_process - (of_process % self.batch == 1)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.shares is None:
            order = rng.permutation(self.length)
        else:
            order = rng.choice(self.length, self.length, p=self.shares)
        if len(self.views) > 1:
            order = order + self.length * rng.choice(len(self.views), self.length, p=self.views)
        processes = _processes()
        # Filled up from the start, since processes wait for each other at every step.
        order = np.resize(order, -(-self.length // processes) * processes)
        rank = distributed.get_rank() if processes > 1 else 0
        return iter(order[rank::processes][: len(self)].tolist())


def _processes() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def whole_batch(batch: Any) -> Any:
    """Return a batch as it is, for loaders: the data set returns whole batches already.

    It stands here, where worker processes find it without importing Lightning.
    """
    return batch


def class_weights(targets: Sequence[int] | NDArray[np.int64], classes: int) -> Tensor:
    """Return class weights, the inverse of the class frequencies, with mean 1 over the cases.

    Example:
        >>> class_weights([0, 0, 0, 1], 2)
        tensor([0.6667, 2.0000])
    """
    counts = np.bincount([target for target in targets if target >= 0], minlength=classes)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return torch.tensor(weights, dtype=torch.float32)
