"""Is an image like those that a network learned from? By its looks, and by what the network sees in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.types import FloatArray

NEIGHBOURS = 5
"""Few enough to follow the edge of what is known, more than the copies that one image has."""

MIN_IMAGES = 40
"""Fewer images than this do not say how nineteen statistics vary."""


@dataclass(frozen=True, slots=True)
class ImageGate:
    """Refuses images that do not look like the known ones.

    Attributes:
        mean: Of the statistics, (D,).
        deviation: Of the statistics, (D,), above 0.
        precision: Inverse covariance of the standardised statistics, (D, D), row by row.
        limit: Mahalanobis distance above which an image is refused.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float

    def __post_init__(self) -> None:
        """Refuse numbers that do not belong together, of which no distance comes."""
        count = len(self.mean)
        square = len(self.precision) == count and all(len(row) == count for row in self.precision)
        if not (square and len(self.deviation) == count and min(self.deviation, default=0) > 0 and self.limit > 0):
            raise ValueError("a gate has as many means as deviations above 0, a square precision and a limit above 0")

    def distance(self, statistics: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance, float64 (N,), of image statistics, float64 (N, D)."""
        away = (statistics - np.array(self.mean)) / np.array(self.deviation)
        squared = np.einsum("ni,ij,nj->n", away, np.array(self.precision), away)
        return np.asarray(np.sqrt(np.maximum(squared, 0)))


def fit_image_gate(statistics: FloatArray, refused: float = 0.01) -> ImageGate:
    """Learn what known images look like; the covariance is shrunk as Ledoit and Wolf do.

    Args:
        statistics: float64 (N, D), of training and validation images; see `busight.decision.image_statistics`.
        refused: Share of these images beyond the limit, 0 to below 1.

    Raises:
        DataError: Fewer than 40 images.

    Source: Lee et al., "A simple unified framework for detecting out-of-distribution samples", NeurIPS 2018
        (Mahalanobis distance as a score), here on statistics of the image instead of a network's features.
    """
    from sklearn.covariance import LedoitWolf

    if len(statistics) < MIN_IMAGES:
        raise DataError(f"{len(statistics)} images: at least {MIN_IMAGES} are needed to say what images look like")
    mean, deviation = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), 1e-6)
    precision = LedoitWolf().fit((statistics - mean) / deviation).precision_
    rows = tuple(tuple(map(float, row)) for row in precision)
    gate = ImageGate(tuple(map(float, mean)), tuple(map(float, deviation)), rows, np.inf)
    limit = float(np.quantile(gate.distance(statistics), 1 - refused))
    return ImageGate(gate.mean, gate.deviation, gate.precision, limit)


def feature_distance(
    features: NDArray[np.floating], known: NDArray[np.floating], neighbours: int = NEIGHBOURS
) -> FloatArray:
    """Return how far features are from those of the training images: 1 − cosine to the k-th most similar one.

    Args:
        features: (N, C).
        known: (M, C), M at least 1.
        neighbours: k; the last one where there are fewer.

    Returns:
        float64 (N,), 0–2.

    Source: Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML 2022, section 3.
    """
    place = len(known) - min(neighbours, len(known))
    return 1 - np.partition(similarity(features, known), place, axis=1)[:, place].astype(np.float64)


def similarity(features: NDArray[np.floating], known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the cosine of each pair of features, (N, C) and (M, C): (N, M); 0 where one of them is 0."""
    return np.asarray(_unit(features) @ _unit(known).T)


def feature_limit(distances: FloatArray, beyond: float = 0.05) -> float:
    """Return the distance beyond which this share of the validation images lies."""
    return float(np.quantile(distances, 1 - beyond))


def _unit(features: NDArray[np.floating]) -> NDArray[np.floating]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)
