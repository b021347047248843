"""Frost filter: a weighted mean that narrows where the local variation is high."""

from __future__ import annotations

from itertools import product
from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.denoise.moments import local_moments
from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def frost(image: Image, size: Annotated[int, Odd(3, 15)] = 5, damping: Annotated[float, Within(0, 100)] = 2.0) -> Image:
    """Return local means with weights exp(-damping C^2 d).

    d is the distance in pixels, C the local coefficient of variation.

    Args:
        image: uint8 HW.
        size: Side of the neighbourhood in pixels.
        damping: How fast the weights fall; 0 is the plain mean.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Frost, Stiles, Shanmugan and Holtzman, A model for radar images and its application to adaptive digital
        filtering of multiplicative noise, IEEE Transactions on Pattern Analysis and Machine Intelligence 4 (1982)
        157–166, in the discrete form of Lopes, Touzi and Nezry (1990).
    """
    fall = local_moments(image, size)[1]
    fall *= np.float32(-damping)
    values = image.astype(np.float32)
    total, weights, weight = (np.zeros_like(values) for _ in range(3))
    sums = np.empty_like(values)
    # Pixels at one distance have one weight: their sum is a convolution with a ring.
    for squared, ring in _rings(size).items():
        np.multiply(fall, np.float32(np.sqrt(squared)), out=weight)
        cv2.exp(weight, dst=weight)
        cv2.filter2D(values, -1, ring, dst=sums, borderType=cv2.BORDER_REFLECT)
        total += np.multiply(sums, weight, out=sums)
        weight *= np.float32(ring.sum())
        weights += weight
    del fall, values, weight, sums
    total /= weights
    return as_grey(total)


def _rings(size: int) -> dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Return the kernel of each ring by its squared distance from the middle: 1 on the ring, 0 elsewhere."""
    middle = size // 2
    rings: dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
    for row, column in product(range(size), repeat=2):
        squared = (row - middle) ** 2 + (column - middle) ** 2
        rings.setdefault(squared, np.zeros((size, size), np.float32))[row, column] = 1
    return rings
