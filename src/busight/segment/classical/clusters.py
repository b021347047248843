"""Clusters of grey value: k-means, and fuzzy c-means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.flatten import flattened
from busight.segment.proposal import scored
from busight.types import FloatArray, Image


def kmeans(image: Image, clusters: int = 4) -> NDArray[np.float32]:
    """Segment the darkest k-means cluster of the flattened image, or the two darkest, whichever has the better region.

    Args:
        image: uint8 HW.
        clusters: 2–8.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.

    Source:
        Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory 28 (1982) 129–137, on the 256
        grey values weighted by how often they occur; started from equally spaced quantiles, hence deterministic.
    """
    smooth, values, weights = _histogram(image)
    centres = _start(values, weights, clusters)
    if centres is None:
        return np.zeros(image.shape, dtype=np.float32)
    # OpenCV's kmeans takes no weights: every pixel would go in, 140 times slower; scikit-learn's KMeans needs SciPy.
    for _ in range(100):
        nearest = np.abs(values[:, None] - centres).argmin(axis=1)
        sums = np.bincount(nearest, weights * values, clusters)
        counts = np.bincount(nearest, weights, clusters)
        moved = np.where(counts > 0, sums / np.maximum(counts, 1e-9), centres)
        if np.abs(moved - centres).max() < 1e-6:
            break
        centres = moved
    return _darkest(smooth, np.sort(centres), image)


def fuzzy_cmeans(image: Image, clusters: int = 4, fuzziness: float = 2.0) -> NDArray[np.float32]:
    """Segment the pixels of highest membership in the flattened image's darkest fuzzy cluster, or in the two darkest.

    Args:
        image: uint8 HW.
        clusters: 2–8.
        fuzziness: The exponent m, above 1.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.scored`.

    Source:
        Bezdek, Pattern Recognition with Fuzzy Objective Function Algorithms (1981), eq. 11.3, on the grey values
        weighted by how often they occur.
    """
    smooth, values, weights = _histogram(image)
    centres = _start(values, weights, clusters)
    if centres is None:
        return np.zeros(image.shape, dtype=np.float32)
    for _ in range(200):
        distance = np.maximum((values[:, None] - centres) ** 2, 1e-9) ** (1 / (fuzziness - 1))
        member = 1 / distance / (1 / distance).sum(axis=1, keepdims=True)
        share = weights[:, None] * member**fuzziness
        moved = (share * values[:, None]).sum(axis=0) / share.sum(axis=0)
        if np.abs(moved - centres).max() < 1e-4:
            break
        centres = moved
    # The highest membership is in the cluster of the nearest centre.
    return _darkest(smooth, np.sort(centres), image)


def _histogram(image: Image) -> tuple[Image, FloatArray, FloatArray]:
    smooth = flattened(image)
    counts = np.bincount(smooth.ravel(), minlength=256).astype(np.float64)
    values = np.flatnonzero(counts)
    return smooth, values.astype(np.float64), counts[values]


def _start(values: FloatArray, weights: FloatArray, clusters: int) -> FloatArray | None:
    """Return quantiles as initial centres; None where there are no more grey values than clusters."""
    if len(values) <= clusters:
        return None
    reached = np.cumsum(weights) / weights.sum()
    places = np.searchsorted(reached, (np.arange(clusters) + 0.5) / clusters)
    centres = values[places]
    return centres + np.arange(clusters) * 1e-3  # equal centres would stay equal


def _darkest(smooth: Image, centres: FloatArray, image: Image) -> NDArray[np.float32]:
    levels = (centres[:-1] + centres[1:]) / 2
    return scored([np.asarray(smooth <= level) for level in levels[:2]], image)
