"""Candidate pairs of near-duplicates by nearest-neighbour search over fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.audit.duplicates.fingerprint import mirror_signs
from busight.io.cores import usable_cores

NEAREST = 16
"""Candidates for each image and kind of mirroring."""

FLOOR = 0.45
"""Least cosine of a candidate. BUSI's and BUS-BRA's farthest crops of one image lie at 0.48 to 0.57, all other
near-duplicates above 0.60; of other pairs, about one in fifty is above 0.45. 0.40 doubles the candidates without a
further near-duplicate."""

_EXACT_BELOW = 8_000
_BLOCK = 1024
_LOOKED_INTO = 24

Progress = Callable[[int, int], None]

Search = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""Fingerprints float32 (N, 63) and k to the k greatest cosines, in any order, and their places, both (N, k)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate pair; ``mirrored`` names how the first image must be mirrored."""

    first: int
    second: int
    mirrored: str
    cosine: float


def candidates_within(found: NDArray[np.float32], progress: Progress | None = None) -> list[Candidate]:
    """Return the candidate pairs within one set, each once (first < second), nearest first.

    Args:
        found: float32 (N, 63), of `fingerprints`.
        progress: Called with (done, total).
    """
    best: dict[tuple[int, int], Candidate] = {}
    for one in _search(found, found, progress):
        if one.first != one.second:
            key = (min(one.first, one.second), max(one.first, one.second))
            if key not in best or one.cosine > best[key].cosine:
                best[key] = Candidate(*key, one.mirrored, one.cosine)
    return sorted(best.values(), key=lambda one: (-one.cosine, one.first, one.second))


def candidates_between(
    first: NDArray[np.float32], second: NDArray[np.float32], progress: Progress | None = None
) -> list[Candidate]:
    """Return the candidate pairs between two sets, nearest first.

    Args:
        first: float32 (N, 63).
        second: float32 (M, 63), scaled by the same spread.
        progress: Called with (done, total).
    """
    best: dict[tuple[int, int], Candidate] = {}
    for one in _search(first, second, progress):
        key = (one.first, one.second)
        if key not in best or one.cosine > best[key].cosine:
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.cosine, one.first, one.second))


def _search(first: NDArray[np.float32], second: NDArray[np.float32], progress: Progress | None) -> Iterator[Candidate]:
    # Without faiss a large set takes longer, and no pair is missed: the cells are only the quick way.
    in_cells = len(second) >= _EXACT_BELOW and find_spec("faiss") is not None
    search = _cells(second) if in_cells else _exact(second)
    nearest = min(NEAREST + 1, len(second))  # one more: within a set every image is its own nearest
    for number, (name, signs) in enumerate((kinds := mirror_signs()).items(), start=1):
        cosines, places = search(np.ascontiguousarray(first * signs), nearest)
        rows, columns = np.nonzero((cosines > FLOOR) & (places >= 0))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            yield Candidate(row, int(places[row, column]), name, float(cosines[row, column]))
        if progress:
            progress(number, len(kinds))


def _exact(found: NDArray[np.float32]) -> Search:
    """Return the exact search, without faiss: its OpenMP conflicts with PyTorch's in a training process."""

    def search(wanted: NDArray[np.float32], nearest: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        blocks = [_nearest(block @ found.T, nearest) for block in np.array_split(wanted, 1 + len(wanted) // _BLOCK)]
        cosines, places = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return cosines, places

    return search


def _nearest(cosines: NDArray[np.float32], nearest: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    places = np.argpartition(cosines, -nearest, axis=1)[:, -nearest:]
    return np.take_along_axis(cosines, places, axis=1), places


def _cells(found: NDArray[np.float32]) -> Search:
    """Return the inverted-file search: fingerprints in cells of about 64, of which the nearest few are searched.

    Its time hardly grows with the set. On 100,000 fingerprints it is twice as fast as a navigable graph over all of
    them, and grows more slowly.
    """
    import faiss

    faiss.omp_set_num_threads(len(usable_cores()))
    centres: Any = faiss.IndexHNSWFlat(found.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    centres.hnsw.efSearch = 2 * _LOOKED_INTO
    index: Any = faiss.IndexIVFFlat(centres, found.shape[1], len(found) // 64, faiss.METRIC_INNER_PRODUCT)
    index.quantizer_trains_alone = 2  # plain k-means fits the centres, the graph only searches the nearest of them
    index.cp.niter = 4
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = 64
    index.train(np.ascontiguousarray(found))
    index.add(np.ascontiguousarray(found))
    index.nprobe = _LOOKED_INTO
    index.own_fields = True  # else the centres are freed when this function returns
    centres.this.disown()
    return lambda wanted, nearest: index.search(wanted, nearest)
