"""Near-duplicates within a set and between two sets: same pixels, near copies, mirrored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from busight.audit.duplicates.alignment import CONFIRMED, aligned_correlation
from busight.audit.duplicates.fingerprint import coefficients, fingerprints
from busight.audit.duplicates.neighbours import Candidate, Progress, candidates_between, candidates_within
from busight.audit.duplicates.screening import promising
from busight.io.cores import usable_cores
from busight.types import Image

Kind = Literal["same pixels", "near-duplicate", "mirrored"]
Pictures = Sequence[Image] | NDArray[np.uint8]
"""uint8 (96, 96) each, or (N, 96, 96)."""

_MIRRORED: dict[str, Callable[[Image], Image]] = {
    "upright": lambda image: image,
    "left-right": lambda image: image[:, ::-1],
    "up-down": lambda image: image[::-1],
    "half turn": lambda image: image[::-1, ::-1],
}


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two images that show the same pixels.

    Attributes:
        first: Index of an image.
        second: Index of another (of the other set, where two are compared).
        kind: ``"same pixels"``, ``"near-duplicate"`` (brightness, noise, crop, scale, overlay) or ``"mirrored"``.
        mirrored: How the first must be mirrored to match the second: ``"upright"``, ``"left-right"`` ...
        correlation: After alignment, −1–1.
    """

    first: int
    second: int
    kind: Kind
    mirrored: str
    correlation: float


def find_near_duplicates(
    thumbnails: Pictures, digests: Sequence[str], progress: Progress | None = None
) -> tuple[NearDuplicate, ...]:
    """Return the near-duplicates within a set.

    Images with the same pixels are each paired with the first of them only, and only that one is compared with others:
    ten thousand copies of one image give ten thousand pairs and not fifty million.

    Args:
        thumbnails: uint8 (96, 96) each, of `make_thumbnail`.
        digests: Digest of the pixels of each image.
        progress: Called with (done, total) in each of three passes: search, screening, confirmation.

    Returns:
        The near-duplicates, ordered by index.
    """
    first_of: dict[str, int] = {}
    pairs = [
        NearDuplicate(first, index, "same pixels", "upright", 1.0)
        for index, digest in enumerate(digests)
        if (first := first_of.setdefault(digest, index)) != index
    ]
    kept = sorted(first_of.values())
    prints = fingerprints(np.stack([coefficients(thumbnails[index]) for index in kept]))
    once = [thumbnails[index] for index in kept]
    candidates = promising(once, once, candidates_within(prints, progress), progress)
    for pair in confirmed(once, once, candidates, progress):
        pairs.append(NearDuplicate(kept[pair.first], kept[pair.second], pair.kind, pair.mirrored, pair.correlation))
    return tuple(sorted(pairs, key=lambda copy: (copy.first, copy.second)))


def find_near_duplicates_between(
    first: Pictures, second: Pictures, progress: Progress | None = None
) -> tuple[NearDuplicate, ...]:
    """Return the near-duplicates between two sets.

    Args:
        first: uint8 (96, 96) each.
        second: uint8 (96, 96) each.
        progress: Called with (done, total) in each of three passes: search, screening, confirmation.

    Returns:
        The near-duplicates, ordered by index; ``first`` counts in the first set, ``second`` in the second.
    """
    ours, theirs = (np.stack([coefficients(small) for small in thumbnails]) for thumbnails in (first, second))
    both = np.concatenate([ours, theirs])
    candidates = candidates_between(fingerprints(ours, both), fingerprints(theirs, both), progress)
    candidates = promising(first, second, candidates, progress)
    return tuple(sorted(confirmed(first, second, candidates, progress), key=lambda copy: (copy.first, copy.second)))


def confirmed(
    first: Pictures, second: Pictures, candidates: Sequence[Candidate], progress: Progress | None = None
) -> list[NearDuplicate]:
    """Return the candidates that are near-duplicates after alignment, in their order.

    On all cores by threads, since OpenCV releases the GIL where nearly all the time goes.
    """

    def confirm(candidate: Candidate) -> NearDuplicate | None:
        turned = mirrored(first[candidate.first], candidate.mirrored)
        correlation = aligned_correlation(turned, second[candidate.second])
        if correlation < CONFIRMED:
            return None
        kind: Kind = "near-duplicate" if candidate.mirrored == "upright" else "mirrored"
        return NearDuplicate(candidate.first, candidate.second, kind, candidate.mirrored, correlation)

    pairs = []
    with ThreadPoolExecutor(len(usable_cores()), thread_name_prefix="confirm") as pool:
        for number, pair in enumerate(pool.map(confirm, candidates), start=1):
            if pair is not None:
                pairs.append(pair)
            if progress:
                progress(number, len(candidates))
    return pairs


def mirrored(image: NDArray[np.uint8], how: str) -> Image:
    """Return an image mirrored as a `NearDuplicate` says."""
    return np.ascontiguousarray(_MIRRORED[how](image))
