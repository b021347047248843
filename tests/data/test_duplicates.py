from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import picture

from busight.data import duplicates
from busight.data.duplicates import DuplicatePair, group_samples, near_duplicates, thumbnail
from busight.data.inspection import Inspection
from busight.types import Sample


def smooth(seed: int, shape: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A picture with large structures, as ultrasound has."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (6, 8))
    return np.kron(coarse, np.ones((shape[0] // 6, shape[1] // 8))).astype(np.uint8)


def test_a_thumbnail_is_centred_and_of_unit_norm() -> None:
    small = thumbnail(smooth(0))
    assert (small.dtype, small.shape) == (np.float32, (1024,))
    assert small.sum() == pytest.approx(0, abs=1e-4)
    assert np.linalg.norm(small) == pytest.approx(1, abs=1e-6)


def test_a_thumbnail_of_the_final_size_by_hand() -> None:
    image = np.zeros((32, 32), dtype=np.uint8)
    image[:, 16:] = 200
    # ±100 around the mean of 100, over 1024 pixels: norm 3200
    np.testing.assert_allclose(thumbnail(image).reshape(32, 32)[0], [-1 / 32] * 16 + [1 / 32] * 16, rtol=1e-6)


def test_the_product_of_thumbnails_is_pearsons_correlation() -> None:
    one, two = (picture(seed, (32, 32)) for seed in (1, 2))
    expected = np.corrcoef(one.ravel(), two.ravel())[0, 1]
    assert float(thumbnail(one) @ thumbnail(two)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("grey", [0, 1, 77, 255])
def test_a_uniform_image_matches_nothing(grey: int) -> None:
    plain = thumbnail(np.full((50, 60), grey, dtype=np.uint8))
    assert not plain.any()
    assert near_duplicates(np.stack([plain, plain])) == ()


def test_copies_are_found_and_others_are_not() -> None:
    first, second = smooth(1), smooth(2)
    brighter = (first * 0.7 + 40).astype(np.uint8)
    cropped = first[2:-2, 2:-2]
    pictures = [first, second, brighter, cropped]
    pairs = near_duplicates(np.stack([thumbnail(p) for p in pictures]))
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 2), (0, 3), (2, 3)]
    assert all(0.97 < pair.correlation <= 1.0001 for pair in pairs)


def test_the_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    thumbnails = np.stack([thumbnail(smooth(seed % 7)) for seed in range(20)])
    whole = near_duplicates(thumbnails, 0.9)
    correlation = np.corrcoef(thumbnails)
    expected = [(i, j) for i in range(20) for j in range(i + 1, 20) if correlation[i, j] > 0.9]
    monkeypatch.setattr(duplicates, "_BLOCK", 3)
    assert [(pair.first, pair.second) for pair in near_duplicates(thumbnails, 0.9)] == expected
    assert [(pair.first, pair.second) for pair in whole] == expected


def person(name: str, patient: str | None = None, exam: str | None = None) -> Sample:
    return Sample(name, "t", None, patient_id=patient, exam_id=exam)


def test_groups_by_hand() -> None:
    samples = [
        person("a", "p1"), person("b"), person("c", "p1"), person("d", None, "e1"), person("e", "p2", "e1"),
        person("f"), person("g", "e1"),
    ]  # fmt: skip
    pairs = [DuplicatePair(1, 2, 0.99)]
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
    assert group_samples(samples, [DuplicatePair(i, j, 0.98) for i, j in links]) == expected


def _same(one: tuple[int | None, int | None], other: tuple[int | None, int | None]) -> bool:
    return any(a is not None and a == b for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_the_near_duplicates_of_busi(busi: Inspection, busi_pairs: tuple[DuplicatePair, ...]) -> None:
    findings = [entry.sample.finding for entry in busi.entries]
    names = [entry.sample.sample_id for entry in busi.entries]
    crossing = {(names[p.first], names[p.second]) for p in busi_pairs if findings[p.first] != findings[p.second]}
    assert len(busi_pairs) == 212
    assert len(crossing) == 10
    assert ("benign/benign (131)", "malignant/malignant (51)") in crossing
    assert ("benign/benign (433)", "malignant/malignant (145)") in crossing
    assert ("normal/normal (1)", "benign/benign (269)") in crossing


@pytest.mark.slow
def test_the_groups_of_busi(busi: Inspection, busi_pairs: tuple[DuplicatePair, ...]) -> None:
    groups = group_samples(busi.dataset.samples, busi_pairs)
    touched = {index for pair in busi_pairs for index in (pair.first, pair.second)}
    sizes = Counter(groups)
    assert sum(size for size in sizes.values() if size > 1) == len(touched)
    assert len(touched) == 310
    assert all(groups[pair.first] == groups[pair.second] for pair in busi_pairs)
