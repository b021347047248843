"""The second reader on one image: which region it looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.descriptors.lexicon import lesion_numbers
from busight.descriptors.model import SecondReader, reader_inputs
from busight.errors import BundleError, DataError
from busight.metrics.activations import logit
from busight.segment.fallback import with_lesion_assumed
from busight.types import FloatArray, Image, Mask, SecondOpinion

_MOST = 4.0
"""Largest change that the second reader makes to the logarithm of the odds, at weight 1: fifty to one."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the second reader sees of an image.

    Attributes:
        words: Its inputs by name.
        region: bool HW: what they describe.
        assumed: It is not what the network outlined, but the likeliest region.
    """

    words: dict[str, float]
    region: Mask
    assumed: bool


def reading_of(
    image: Image,
    mask: Mask | None,
    probs: NDArray[np.float32] | None,
    likeliest: Callable[[], Mask] | None = None,
) -> Reading | None:
    """Return what the second reader sees: of the outlined lesion, or, where that is unsure, of the likeliest region.

    Args:
        image: uint8 HW.
        mask: bool HW, outlined; None where nothing outlines.
        probs: float32 HW behind it.
        likeliest: Gives the likeliest region where the image itself is not to be searched.

    Returns:
        None where there is no region with a form.
    """
    if mask is None or probs is None:
        return None
    assumed = with_lesion_assumed(mask, probs, image, likeliest=likeliest)
    for region in (assumed, mask):
        try:
            words = reader_inputs(lesion_numbers(image, region))
        except DataError:
            continue  # too small, or at the border
        return Reading(words, region, region is not mask)
    return None


def second_opinion(reader: SecondReader, reading: Reading) -> SecondOpinion:
    """Return the reader's word on what it sees.

    Raises:
        BundleError: The reader was taught by other words than this version has.
    """
    if not set(reader.names) <= set(reading.words):
        raise BundleError("the second reader knows other words than this version; update busight, or train anew")
    values = np.array([[reading.words[name] for name in reader.names]])
    malignant = float(reader.probs(values)[0])
    return SecondOpinion(malignant, reader.reasons(reading.words), reading.region, reading.assumed)


def with_second_reader(logits: FloatArray, classes: tuple[str, ...], malignant: float, weight: float) -> FloatArray:
    """Let the second reader move the odds of malignant against benign; all other odds stay as they are.

    Args:
        logits: float64 (K,).
        classes: K names, benign and malignant among them.
        malignant: The second reader's probability, 0–1.
        weight: Of its log-odds, 0 or more.

    Returns:
        float64 (K,): half of the change is added to malignant, half taken from benign.
    """
    change = weight * float(np.clip(logit(malignant), -_MOST, _MOST))
    moved = logits.copy()
    moved[classes.index("malignant")] += change / 2
    moved[classes.index("benign")] -= change / 2
    return moved
