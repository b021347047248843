"""The batches of a training."""

from __future__ import annotations

from collections.abc import Sequence

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader

from busight.training.prepared import Batch, EpochShuffle, PreparedDataset, PreparedSet, sampling_shares, whole_batch
from busight.training.settings import TrainSettings


class PreparedDataModule(lightning.LightningDataModule):
    """Loaders of prepared images, which stay on disk until their batch comes."""

    def __init__(
        self,
        train: PreparedSet,
        val: PreparedSet,
        settings: TrainSettings,
        epoch: int = 0,
        views: Sequence[float] = (1.0,),
    ) -> None:
        """Set what is loaded.

        Args:
            train: Training images, in an order drawn anew each epoch.
            val: Validation images, in the given order.
            settings: The recipe's ``train`` section; of it batch, seed, balance and ``workers``, the processes that
                read ahead. Each maps the arrays, none holds a copy.
            epoch: From 0, the one that is trained first: Lightning draws the first batch of a resumed epoch before it
                tells the sampler which it is.
            views: Probability of each view of an image, of which the training images hold one after another.
        """
        super().__init__()
        self.train, self.val, self.settings = train, val, settings
        first = train.select(np.arange(len(train) // len(views)))
        shares = sampling_shares(first, settings.balance)
        self.sampler = EpochShuffle(len(first), settings.batch, settings.seed, shares, views)
        self.sampler.set_epoch(epoch)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the training images; a last batch of one image is left out."""
        workers = self.settings.workers
        return DataLoader(
            PreparedDataset(self.train),
            self.settings.batch,
            sampler=self.sampler,
            collate_fn=whole_batch,
            num_workers=workers,
            persistent_workers=workers > 0,
            # Spawned: a process that was forked from one with threads can hang.
            multiprocessing_context="spawn" if workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the validation images."""
        return DataLoader(PreparedDataset(self.val), 2 * self.settings.batch, collate_fn=whole_batch)
