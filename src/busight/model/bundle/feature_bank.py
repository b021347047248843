"""The feature bank: pooled features of the training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.decision.ood import unit_vectors
from busight.errors import BundleError
from busight.io.arrays import read_arrays
from busight.io.atomic import written_beside


@dataclass(frozen=True, slots=True, eq=False)
class FeatureBank:
    """Features of the training images. They contain no image, but are of patients: share them as you would a table.

    Attributes:
        features: float32 (M, C): the classifier's pooled features, those of each image times a power of two. Their
            directions alone are used: likeness and distance are cosines.
        sample_ids: M sample ids.
        labels: M labels.
        directions: float32 (M, C): the features brought to length 1, once and not for each image.
    """

    features: NDArray[np.float32]
    sample_ids: tuple[str, ...]
    labels: tuple[str, ...]
    directions: NDArray[np.floating] = field(init=False)

    def __post_init__(self) -> None:
        """Compute the directions."""
        object.__setattr__(self, "directions", unit_vectors(self.features))


def write_features(path: Path, features: NDArray[np.float32], sample_ids: Sequence[str], labels: Sequence[str]) -> None:
    """Write the features at half precision, which changes the fourth digit of a cosine.

    Half precision ends at 65,504 and at 6e-8, so the features of each image are multiplied by a power of two, which
    changes none of their digits: the largest is then from 0.5 to 1.

    Args:
        path: The file.
        features: float32 (M, C).
        sample_ids: M sample ids.
        labels: M labels.

    Raises:
        BundleError: A feature is no finite number.
        OutputError: The file could not be written.
    """
    is_finite = np.isfinite(features).all(axis=1)
    if not is_finite.all():
        raise BundleError(
            f"{path}: the network's features of {sample_ids[int(is_finite.argmin())]} are no finite numbers; train it "
            "again, best with a lower learning rate"
        )
    _, exponents = np.frexp(np.abs(features).max(axis=1, keepdims=True))
    with written_beside(path) as beside, beside.open("wb") as stream:
        np.savez_compressed(
            stream,
            features=np.ldexp(features, -exponents).astype(np.float16),
            sample_ids=np.array(sample_ids, dtype=np.str_),
            labels=np.array(labels, dtype=np.str_),
        )


def read_features(path: Path) -> FeatureBank:
    """Read the feature bank that `write_features` wrote.

    Raises:
        BundleError: The file is not a feature bank.
    """
    try:
        saved = read_arrays(path)
        features, ids, labels = saved["features"], saved["sample_ids"].tolist(), saved["labels"].tolist()
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(f"{path}: not the features of a bundle ({error}); copy the whole folder again") from error
    known = isinstance(ids, list) and isinstance(labels, list)
    if not known or features.ndim != 2 or not 0 < len(features) == len(ids) == len(labels):
        raise BundleError(f"{path}: its features do not belong to its names; copy the whole folder again")
    if features.dtype.kind != "f" or not np.isfinite(features).all():
        raise BundleError(f"{path}: its features are no finite numbers; copy the whole folder again")
    return FeatureBank(features.astype(np.float32), tuple(ids), tuple(labels))
