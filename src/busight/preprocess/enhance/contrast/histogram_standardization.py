"""Histogram standardization to a reference by landmarks (Nyúl and Udupa)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.preprocess.enhance.parameters import validate_params
from busight.types import Image

BUSI_DECILES = "0 22 34 46 61 77 94 111 130 156 252"
"""Mean deciles of BUSI's 780 images, from minimum to maximum."""


@dataclass(frozen=True, slots=True)
class AscendingGreyValues:
    """Grey values as text, separated by spaces; equal neighbours are allowed."""

    def allows(self, value: str) -> bool:
        """Return whether the text holds two or more grey values, none below the one before."""
        try:
            landmarks = _landmarks(value)
        except ValueError:
            return False
        in_range = len(landmarks) >= 2 and all(0 <= landmark <= 255 for landmark in landmarks)
        return in_range and all(lower <= upper for lower, upper in pairwise(landmarks))

    def __str__(self) -> str:
        return "two or more grey values 0–255 in ascending order"


@validate_params
def histogram_standardization(image: Image, reference: Annotated[str, AscendingGreyValues()] = BUSI_DECILES) -> Image:
    """Return the image with its quantiles mapped to those of a reference, linearly between them.

    Args:
        image: uint8 HW.
        reference: Equally spaced quantiles of the reference as grey values, separated by spaces: the first its minimum,
            the last its maximum.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Nyúl and Udupa, On standardizing the MR image intensity scale, Magnetic Resonance in Medicine 42 (1999)
        1072–1081, with deciles as landmarks.
    """
    target = np.array(_landmarks(reference))
    source = _quantiles(image, len(target))
    # Equal landmarks have no slope between them: the last one counts.
    last = np.append(np.diff(source) > 0, True)
    table = np.interp(np.arange(256), source[last], target[last])
    return cv2.LUT(image, np.rint(table).astype(np.uint8)).astype(np.uint8, copy=False)


def _quantiles(image: Image, count: int) -> NDArray[np.float64]:
    """Return equally spaced quantiles, float64 (count,), as `numpy.percentile` does, from counts instead of sorting."""
    cumulated = np.cumsum(np.bincount(image.ravel(), minlength=256))
    ranks = np.linspace(0, image.size - 1, count)
    below, above = (np.searchsorted(cumulated, rounded(ranks), side="right") for rounded in (np.floor, np.ceil))
    return np.asarray(below + (ranks - np.floor(ranks)) * (above - below), dtype=np.float64)


def _landmarks(text: str) -> list[float]:
    return [float(number) for number in text.split()]
