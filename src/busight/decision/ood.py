"""Out-of-distribution detection: by the appearance of an image, and by the network's features of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from busight.decision.appearance import AppearanceDetector
from busight.metrics.image_statistics import NAMES
from busight.types import FloatArray, Image

NEIGHBOURS = 5
"""Neighbours: few enough to follow the boundary of the training features, more than an image's near-duplicates."""


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

    def rejection(self, image: Image, coloured: float = 0.0) -> str | None:
        """Return why an image is rejected; None where it is not. It depends on appearance alone.

        Args:
            image: uint8 HW or HW3.
            coloured: Share of its file's pixels that are clearly coloured, 0–1.
        """
        return None if self.appearance is None else self.appearance.rejection(image, coloured)

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
