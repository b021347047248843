"""What a network saw at each look at an image, and how several looks are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.metrics.activations import logit
from busight.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the classifier returned for one look, or for several joined.

    Attributes:
        logits: (K,).
        share: Of the image's area that was looked at, above 0, at most 1.
        activation: (K, H, W) of the image, 0 outside the region.
        mask_probs: Of the region.
        features: (C,).
    """

    logits: FloatArray
    share: float = 1.0
    activation: NDArray[np.float32] | None = None
    mask_probs: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None


def mean_of_looks(whole: Seen, near: Sequence[Seen]) -> Seen:
    """Join the look at the whole image with those at regions, which together weigh as much.

    Outside its region a near look saw nothing. Inside, its map counts for as many pixels as the image has for each of
    the region's: only so is the mean of the joined map the joined logit, as the mean of each look's map is its own.
    """
    logits = (whole.logits + np.mean([one.logits for one in near], axis=0)) / 2
    activation = None
    if whole.activation is not None and all(one.activation is not None for one in near):
        maps = [one.activation / np.float32(one.share) for one in near if one.activation is not None]
        activation = (whole.activation + np.mean(maps, axis=0)) * np.float32(0.5)
    return replace(whole, logits=logits, activation=activation)


def from_mask(probs: NDArray[np.float32] | None) -> Seen:
    """Read "is there a lesion" off a probability map: the level that 0.2 % of the pixels reach.

    Single pixels reach any level in noise; 0.2 % is the smallest region that post-processing keeps by default.
    """
    if probs is None:
        raise BundleError("the card has neither a classifier nor a segmentation")
    level = float(np.quantile(probs, 0.998))
    return Seen(np.array([0.0, logit(level)]))
