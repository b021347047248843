"""Near-duplicate images and the groups that must never be split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from busight.types import Image, Sample

SIDE = 32
THRESHOLD = 0.97
"""Correlation above which two thumbnails count as one picture. On BUSI: 212 pairs, ten of them across classes."""

_BLOCK = 2048


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two images whose thumbnails correlate above the threshold; indices into the sample list, first < second."""

    first: int
    second: int
    correlation: float


def thumbnail(image: Image) -> NDArray[np.float32]:
    """Shrink an image to 32×32 with a triangle filter, subtract the mean, scale to unit norm.

    Args:
        image: uint8 HW.

    Returns:
        float32 (1024,); all zeros for a uniform image, which therefore matches nothing.
    """
    picture = Pillow.fromarray(image).resize((SIDE, SIDE), Pillow.Resampling.BILINEAR)
    small = np.asarray(picture, dtype=np.float32).ravel()
    small = small - small.mean()
    norm = float(np.linalg.norm(small))
    scaled: NDArray[np.float32] = small / np.float32(norm) if norm > 0 else small
    return scaled


def near_duplicates(thumbnails: NDArray[np.float32], threshold: float = THRESHOLD) -> tuple[DuplicatePair, ...]:
    """Find all pairs of thumbnails that correlate above a threshold.

    The search compares every image with every other, block by block: exact, and seconds for a few thousand images.

    Args:
        thumbnails: float32 (N, 1024), unit-norm rows.
        threshold: Correlation in -1–1.

    Returns:
        The pairs, ordered by index.
    """
    return tuple(_pairs(thumbnails, threshold))


def _pairs(thumbnails: NDArray[np.float32], threshold: float) -> Iterator[DuplicatePair]:
    for start in range(0, len(thumbnails), _BLOCK):
        block = thumbnails[start : start + _BLOCK]
        correlation = block @ thumbnails[start:].T
        rows, columns = np.nonzero(correlation > threshold)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if column > row:
                yield DuplicatePair(start + row, start + column, float(correlation[row, column]))


def group_samples(samples: Sequence[Sample], pairs: Sequence[DuplicatePair]) -> tuple[str, ...]:
    """Give each sample the group that it belongs to: one patient, and everything that is a near-copy of it.

    Groups are the connected components of "same patient", "same examination" and "near-duplicate" together.

    Args:
        samples: N samples.
        pairs: Near-duplicates among them.

    Returns:
        N group names; a group is named after the first of its samples.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = [(pair.first, pair.second) for pair in pairs]
    first_of_person: dict[tuple[str, str], int] = {}
    for index, sample in enumerate(samples):
        # One examination is one patient, also where the patient is not named: frames of a cine stay together.
        for kind, name in (("patient", sample.patient_id), ("exam", sample.exam_id)):
            if name is not None:
                links.append((first_of_person.setdefault((kind, name), index), index))
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(len(samples),) * 2)
    _, labels = connected_components(graph, directed=False)
    names: dict[int, str] = {}
    return tuple(names.setdefault(int(label), sample.sample_id) for label, sample in zip(labels, samples, strict=True))
