from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.audit.duplicates.near_duplicates import NearDuplicate
from busight.data.groups import group_samples
from busight.data.manifest import DatasetManifest
from busight.types import Sample


def person(name: str, patient: str | None = None, exam: str | None = None) -> Sample:
    return Sample(name, "t", None, patient_id=patient, exam_id=exam)


def test_groups_by_hand() -> None:
    samples = [
        person("a", "p1"), person("b"), person("c", "p1"), person("d", None, "e1"), person("e", "p2", "e1"),
        person("f"), person("g", "e1"),
    ]  # fmt: skip
    pairs = [(1, 2)]
    # a-c by patient, b-c by pixels, d-e by examination; the patient named "e1" is not the examination "e1".
    assert group_samples(samples, pairs) == ("a", "a", "a", "d", "d", "f", "g")
    assert group_samples([], []) == ()


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)), min_size=1, max_size=20),
    st.data(),
)
def test_groups_are_the_connected_components(people: list[tuple[int | None, int | None]], data: st.DataObject) -> None:
    samples = [
        person(f"s{i}", None if p is None else str(p), None if e is None else str(e)) for i, (p, e) in enumerate(people)
    ]
    index = st.integers(0, len(samples) - 1)
    links = data.draw(st.lists(st.tuples(index, index).filter(lambda ends: ends[0] < ends[1]), max_size=10))
    # An independent way: merge labels until nothing changes.
    label = list(range(len(samples)))
    together = [(i, j) for i in label for j in label if _same(people[i], people[j])] + links
    for _ in samples:
        for i, j in together:
            label[i] = label[j] = min(label[i], label[j])
    expected = tuple(f"s{number}" for number in label)
    assert group_samples(samples, links) == expected


def _same(one: tuple[int | None, int | None], other: tuple[int | None, int | None]) -> bool:
    return any(a is not None and a == b for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_the_groups_of_busi(busi: DatasetManifest, busi_copies: tuple[NearDuplicate, ...]) -> None:
    pairs = [(copy.first, copy.second) for copy in busi_copies]
    groups = group_samples(busi.dataset.samples, pairs)
    touched = {index for pair in pairs for index in pair}
    sizes = Counter(groups)
    assert sum(size for size in sizes.values() if size > 1) == len(touched)
    assert all(groups[first] == groups[second] for first, second in pairs)
    # No giant component: grouping must not glue half of the set together.
    assert max(sizes.values()) < 10
