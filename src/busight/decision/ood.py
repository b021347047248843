"""Out-of-distribution detection: by the appearance of an image, and by the network's features of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from busight.errors import DataError
from busight.metrics.image_statistics import NAMES, image_statistics
from busight.metrics.mahalanobis import Gaussian, fit_gaussian
from busight.types import FloatArray, Image

NEIGHBOURS = 5
"""Neighbours: few enough to follow the boundary of the training features, more than an image's near-duplicates."""

MIN_IMAGES = 40
"""Fewer images than this do not determine the covariance of nineteen statistics."""


@dataclass(frozen=True, slots=True)
class AppearanceDetector:
    """Out-of-distribution detector by appearance: Mahalanobis distance of image statistics.

    Attributes:
        mean: Means of the statistics, (D,).
        deviation: Standard deviations of the statistics, (D,), above 0.
        precision: Inverse covariance of the standardised statistics, (D, D), row by row.
        limit: Mahalanobis distance above which an image is rejected.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float

    def __post_init__(self) -> None:
        """Raise for parameters that define no distance."""
        count = len(self.mean)
        square = len(self.precision) == count and all(len(row) == count for row in self.precision)
        if not (square and len(self.deviation) == count and min(self.deviation, default=0) > 0 and self.limit > 0):
            raise ValueError(
                "a detector has as many means as deviations above 0, a square precision and a limit above 0"
            )
        precision = np.array(self.precision)
        if not np.allclose(precision, precision.T) or np.linalg.eigvalsh(precision).min() <= 0:
            raise ValueError("the precision of a detector is symmetric and positive definite")

    def distance(self, statistics: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance, float64 (N,), of image statistics, float64 (N, D)."""
        return Gaussian(np.array(self.mean), np.array(self.deviation), np.array(self.precision)).distance(statistics)


@dataclass(frozen=True, slots=True)
class OodDetector:
    """The out-of-distribution detector: limits of an image's appearance and of the distance of its features.

    Attributes:
        appearance: None where there were too few images to fit it, or the images are not grey ultrasound.
        feature_limit: Largest in-distribution distance to the training features; None where the graph gives no
            features.
        neighbours: k of the distance.
        source: The images that the limits were fitted on.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    appearance: AppearanceDetector | None
    feature_limit: Annotated[float, Field(ge=0, le=2)] | None
    neighbours: Annotated[int, Field(ge=1, le=1000)]
    source: str

    def __post_init__(self) -> None:
        """Raise for an appearance detector of other statistics than those that are computed."""
        if self.appearance is not None and len(self.appearance.mean) != len(NAMES):
            raise ValueError(f"an appearance detector has {len(NAMES)} means, one for each statistic of an image")

    def rejection(self, image: Image) -> str | None:
        """Return why an image, uint8 HW or HW3, is rejected; None where it is not.

        It depends on appearance alone: a photograph, an X-ray or a page of text differs from all training images, but
        so may another device's ultrasound.
        """
        if self.appearance is None:
            return None
        distance = float(self.appearance.distance(image_statistics(image)[None])[0])
        if distance <= self.appearance.limit:
            return None
        times = distance / self.appearance.limit
        return f"unlike the images that this bundle learned from ({times:.1f} times the limit)"

    def is_unfamiliar(self, features: NDArray[np.float32], directions: NDArray[np.floating]) -> bool:
        """Return whether features, float32 (C,), are beyond the limit from the training features.

        Args:
            features: float32 (C,).
            directions: float32 (M, C), the training features as `unit_vectors`.
        """
        if self.feature_limit is None:
            return False
        # NaN, which compares as False, must not count as familiar.
        return not _distance(unit_vectors(features[None]) @ directions.T, self.neighbours)[0] <= self.feature_limit


def fit_appearance_detector(statistics: FloatArray, rejected: float = 0.01) -> AppearanceDetector:
    """Fit a detector by appearance on training and validation images.

    Args:
        statistics: float64 (N, D), of these images; see `busight.metrics.image_statistics`.
        rejected: Share of these images beyond the limit, 0 to below 1.

    Raises:
        DataError: Fewer than 40 images.

    Source: Lee et al., "A simple unified framework for detecting out-of-distribution samples", NeurIPS 2018
        (Mahalanobis distance as a score), here on statistics of the image instead of a network's features.
    """
    if len(statistics) < MIN_IMAGES:
        raise DataError(f"{len(statistics)} images: at least {MIN_IMAGES} are needed to say what images look like")
    known = fit_gaussian(statistics)
    return AppearanceDetector(
        mean=tuple(map(float, known.mean)),
        deviation=tuple(map(float, known.deviation)),
        precision=tuple(tuple(map(float, row)) for row in known.precision),
        limit=float(np.quantile(known.distance(statistics), 1 - rejected)),
    )


def feature_distance(
    features: NDArray[np.floating], known: NDArray[np.floating], neighbours: int = NEIGHBOURS
) -> FloatArray:
    """Return the distance of features from those of the training images: 1 − cosine to the k-th most similar one.

    Args:
        features: (N, C).
        known: (M, C), of the training images, M at least 1.
        neighbours: k; the last one where there are fewer.

    Returns:
        float64 (N,), 0–2.

    Source: Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML 2022, section 3.
    """
    return _distance(similarity(features, known), neighbours)


def similarity(features: NDArray[np.floating], known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the cosine similarity of each pair of features, (N, C) and (M, C): (N, M); 0 where one of them is 0."""
    return np.asarray(unit_vectors(features) @ unit_vectors(known).T)


def feature_limit(distances: FloatArray, beyond: float = 0.05) -> float:
    """Return the limit of the feature distance, beyond which this share of the validation images lies."""
    return float(np.quantile(distances, 1 - beyond))


def unit_vectors(features: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return features, (N, C), brought to length 1; 0 stays 0."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)


def _distance(similarities: NDArray[np.floating], neighbours: int) -> FloatArray:
    """Return 1 − the k-th largest of each row."""
    place = similarities.shape[1] - min(neighbours, similarities.shape[1])
    return 1 - np.partition(similarities, place, axis=1)[:, place].astype(np.float64)
