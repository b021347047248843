"""The second reader on one image: which region it looks at, and what it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.explain.descriptors import lesion_numbers
from busight.explain.second_reader import SecondReader, reader_inputs
from busight.segment.assumed import with_lesion_assumed
from busight.types import FloatArray, Image, Mask, SecondOpinion

_MOST = 4.0
"""Largest change that the second reader makes to the logarithm of the odds, at weight 1: fifty to one."""


def reader_words(
    image: Image, mask: Mask | None, probs: NDArray[np.float32] | None, guess: Mask | None = None
) -> dict[str, float] | None:
    """Return what the second reader sees: of the outlined lesion, or, where that is unsure, of the likeliest region.

    Args:
        image: uint8 HW.
        mask: bool HW, outlined; None where nothing outlines.
        probs: float32 HW behind it.
        guess: bool HW, the likeliest region where it is known already.

    Returns:
        Its inputs; None where there is no region with a form.
    """
    if mask is None or probs is None:
        return None
    for region in (with_lesion_assumed(mask, probs, image, guess=guess), mask):
        try:
            return reader_inputs(lesion_numbers(image, region))
        except DataError:
            continue  # too small, or at the border
    return None


def second_opinion(reader: SecondReader, words: dict[str, float]) -> SecondOpinion:
    """Return the reader's word on its inputs."""
    values = np.array([[words[name] for name in reader.names]])
    return SecondOpinion(float(reader.probs(values)[0]), reader.reasons(words))


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
    inside = min(max(malignant, 1e-6), 1 - 1e-6)
    change = weight * float(np.clip(np.log(inside / (1 - inside)), -_MOST, _MOST))
    moved = logits.copy()
    moved[classes.index("malignant")] += change / 2
    moved[classes.index("benign")] -= change / 2
    return moved
