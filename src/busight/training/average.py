"""The mean of the weights of several trainings from the same initial weights: one network, flatter than each.

Sources:
    Wortsman et al., Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
    inference time, ICML 2022. Ramé et al., Diverse weight averaging for out-of-distribution generalization, NeurIPS
    2022. Statistics of batch normalisation anew: Izmailov et al., Averaging weights leads to wider optima, UAI 2018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from busight.classify.network import Network
from busight.training.data_module import PreparedDataModule
from busight.training.module import TrainingModule
from busight.training.prepared import PreparedSet
from busight.training.settings import TrainSettings

Weights = Mapping[str, Tensor]

_APART = 1_000_003
"""Between the seeds of two trainings."""
STATISTICS_BATCHES = 64
"""Batches that the statistics of batch normalisation are computed from."""


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a training, from 0; the first has the recipe's own."""
    return (seed + _APART * member) % 2**32


def mean_weights(members: Sequence[Weights]) -> dict[str, Tensor]:
    """Return the mean of each floating-point tensor; of the others, which count batches, the first."""
    return {
        key: torch.stack([weights[key] for weights in members]).mean(dim=0) if value.is_floating_point() else value
        for key, value in members[0].items()
    }


def renew_statistics(
    network: Network,
    train: PreparedSet,
    settings: TrainSettings,
    views: Sequence[float],
    *,
    mask_channel: bool,
) -> None:
    """Compute the statistics of batch normalisation anew, from augmented training images; those of a mean of weights
    are none of its own activations.

    Args:
        network: Changed in place; in evaluation mode afterwards.
        train: Training images, all views one after another.
        settings: Batch, seed and augmentation.
        views: Probability of each view.
        mask_channel: The last channel is a mask, which augmentation does not change.
    """
    device = next(network.parameters()).device
    module = TrainingModule(network, settings, None, mask_channel)
    module.setup("fit")
    loader = PreparedDataModule(train, train, settings, 0, views).train_dataloader()

    def batches() -> Iterator[Tensor]:
        for place, batch in enumerate(islice(loader, STATISTICS_BATCHES)):
            yield module.augmented(batch, 0, place)[0]

    update_bn(batches(), network, device)
    module.teardown("fit")
    network.eval()
