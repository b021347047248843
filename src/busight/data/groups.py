"""Groups that must never be split: the images of one patient and all their near-duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from busight.types import Sample


def group_samples(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return the group of each sample.

    Groups are the connected components of "same patient", "same examination" and "near-duplicate" together.

    Args:
        samples: N samples.
        pairs: Near-duplicate pairs as indices of samples.

    Returns:
        N group names; a group is named after the first of its samples.
    """
    links = list(pairs)
    first_of_person: dict[tuple[str, str], int] = {}
    for index, sample in enumerate(samples):
        # One examination is one patient, also where the patient is not named: frames of a cine stay together.
        for kind, name in (("patient", sample.patient_id), ("exam", sample.exam_id)):
            if name is not None:
                links.append((first_of_person.setdefault((kind, name), index), index))
    return tuple(samples[first].sample_id for first in connected(len(samples), links))


def connected(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return the connected component of each of n nodes, as the lowest index in it.

    Example:
        >>> connected(4, [(3, 1)])
        [0, 1, 2, 1]
    """
    lower = list(range(n))  # a tree a component: each entry points to one not above itself

    def root(index: int) -> int:
        while lower[index] != index:
            lower[index] = lower[lower[index]]
            index = lower[index]
        return index

    for one, other in links:
        first, second = sorted((root(int(one)), root(int(other))))
        lower[second] = first
    return [root(index) for index in range(n)]
