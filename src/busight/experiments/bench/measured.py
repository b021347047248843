"""Shared by the benchmarks: a metric with its interval, a random choice of images, one thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric over the images in which it is defined; NaN where it is in none.

    Attributes:
        value: The metric.
        low: Lower end of its interval, by resampling groups.
        high: Upper end.
        images: Images that define it.
    """

    value: float
    low: float
    high: float
    images: int


def chosen_at_random(indices: Sequence[int], limit: int, seed: int) -> list[int]:
    """Return a random choice of the indices in their order; all where ``limit`` is 0 or not below their number."""
    if not 0 < limit < len(indices):
        return list(indices)
    return sorted(np.random.default_rng(seed).choice(indices, limit, replace=False).tolist())


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Restrict OpenCV to one thread, so that times per image are comparable."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
