"""Pairs of fingerprints that may belong to copies, found with an index instead of comparing all with all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.data.audit.fingerprint import mirror_signs

NEAREST = 16
"""Candidates looked at for each image and kind of mirroring."""

FLOOR = 0.55
"""Least cosine of a candidate. On BUSI the 212 pairs of the 32×32 correlation have at least 0.80; of all other pairs
one in a few hundred has more than 0.55."""

_EXACT_BELOW = 8_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two fingerprints close to each other; ``mirrored`` names what must be done to the first image."""

    first: int
    second: int
    mirrored: str
    cosine: float


def candidates_within(found: NDArray[np.float32]) -> list[Candidate]:
    """Return pairs within one set, each once (first < second), nearest first.

    Args:
        found: float32 (N, 63), of `fingerprints`.
    """
    best: dict[tuple[int, int], Candidate] = {}
    for one in _search(found, found):
        if one.first != one.second:
            key = (min(one.first, one.second), max(one.first, one.second))
            if key not in best or one.cosine > best[key].cosine:
                best[key] = Candidate(*key, one.mirrored, one.cosine)
    return sorted(best.values(), key=lambda one: (-one.cosine, one.first, one.second))


def candidates_between(first: NDArray[np.float32], second: NDArray[np.float32]) -> list[Candidate]:
    """Return pairs of an image of one set and an image of another, nearest first.

    Args:
        first: float32 (N, 63).
        second: float32 (M, 63), made with the same spread.
    """
    best: dict[tuple[int, int], Candidate] = {}
    for one in _search(first, second):
        key = (one.first, one.second)
        if key not in best or one.cosine > best[key].cosine:
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.cosine, one.first, one.second))


def _search(first: NDArray[np.float32], second: NDArray[np.float32]) -> Iterator[Candidate]:
    index = _index(second)
    nearest = min(NEAREST + 1, len(second))  # one more: within a set every image finds itself
    for name, signs in mirror_signs().items():
        cosines, places = index.search(np.ascontiguousarray(first * signs), nearest)
        rows, columns = np.nonzero((cosines > FLOOR) & (places >= 0))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            yield Candidate(row, int(places[row, column]), name, float(cosines[row, column]))


def _index(found: NDArray[np.float32]) -> Any:
    """Build an index for cosines: exact for small sets, a navigable graph for large ones."""
    import faiss

    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    width = found.shape[1]
    if len(found) < _EXACT_BELOW:
        index: Any = faiss.IndexFlatIP(width)
    else:
        index = faiss.IndexHNSWFlat(width, 24, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 64
        index.hnsw.efSearch = 48
    index.add(np.ascontiguousarray(found))
    return index
