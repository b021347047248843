"""The groups that must never be split: one patient, and everything that is a copy of one of their pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from busight.types import Sample


def group_samples(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Give each sample the group that it belongs to.

    Groups are the connected components of "same patient", "same examination" and "copy" together.

    Args:
        samples: N samples.
        pairs: Indices of two samples that show the same pixels.

    Returns:
        N group names; a group is named after the first of its samples.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = list(pairs)
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
