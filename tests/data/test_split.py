from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from busight.audit.duplicates.near_duplicates import NearDuplicate
from busight.data.groups import group_samples
from busight.data.manifest import DatasetManifest
from busight.data.sources.busbra import load_busbra
from busight.data.split import SUBSETS, Split, SplitSettings, leaking_pairs, make_split
from busight.errors import ConfigError, DataError
from busight.types import Sample

LABELS = ["normal", "benign", "malignant"]


def sample(number: int, finding: str | None, patient: str | None = None, part: str | None = None) -> Sample:
    return Sample(f"s{number:03d}", "test", finding, patient_id=patient, official_subset=part)


def cohort(count: int = 240, seed: int = 0, patients: int | None = None) -> list[Sample]:
    """Samples of three classes in the proportions of BUSI; patients have one finding each, in five official folds."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(3, size=count, p=[0.17, 0.56, 0.27])
    names = rng.integers(0, patients, count) if patients else range(count)
    return [
        sample(i, LABELS[finding], f"p{LABELS[finding]}{name}", str(1 + hash((int(finding), int(name))) % 5))
        for i, (finding, name) in enumerate(zip(drawn.tolist(), names, strict=True))
    ]


def singles(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(s.sample_id for s in samples)


def counts(split: Split, samples: Sequence[Sample]) -> dict[str, Counter[str | None]]:
    finding = {s.sample_id: s.label for s in samples}
    return {part: Counter(finding[name] for name in getattr(split, part)) for part in SUBSETS}


@st.composite
def grouped_samples(draw: st.DrawFn) -> tuple[list[Sample], list[tuple[int, int]]]:
    """Random people, label_ids (some missing), near-duplicates and official folds: from hopeless to comfortable."""
    size = draw(st.integers(3, 60))
    people = st.none() | st.integers(0, draw(st.integers(1, 60))).map(lambda number: f"p{number}")
    finding = st.sampled_from([*LABELS, *LABELS, None])
    samples = [sample(i, draw(finding), draw(people), draw(st.sampled_from("12345"))) for i in range(size)]
    index = st.integers(0, size - 1)
    links = draw(st.lists(st.tuples(index, index).filter(lambda ends: ends[0] < ends[1]), max_size=size // 4))
    return samples, list(links)


def split_or_refusal(samples: list[Sample], groups: tuple[str, ...], wanted: SplitSettings) -> Split | str:
    """The split, or the one line with which it was refused; any other error fails the test."""
    refusal = ""
    try:
        return make_split(samples, groups, wanted)
    except DataError as error:
        refusal = str(error)
    assert "\n" not in refusal
    return refusal


@settings(max_examples=100, deadline=None)
@given(
    grouped_samples(),
    st.sampled_from(["grouped", "kfold_by_group", "official"]),
    st.integers(0, 2**32 - 1),
    st.integers(2, 5),
    st.data(),
)
def test_no_group_ever_crosses(
    drawn: tuple[list[Sample], list[tuple[int, int]]], kind: str, seed: int, folds: int, data: st.DataObject
) -> None:
    samples, pairs = drawn
    groups = group_samples(samples, pairs)
    wanted = SplitSettings(kind=kind, seed=seed, folds=folds, fold=data.draw(st.integers(0, folds - 1)))
    split = split_or_refusal(samples, groups, wanted)
    if isinstance(split, str):
        return  # too few groups: refused, not split somehow
    part = split.subset_of()
    # Every labelled sample has exactly one part, an unlabelled one has none.
    assert sorted(part) == sorted(split.train + split.val + split.test)
    assert set(part) == {s.sample_id for s in samples if s.label is not None}
    assert all(getattr(split, name) for name in SUBSETS)
    # An official test fold is the authors'; what is drawn is the validation part.
    checked = set(SUBSETS) if kind != "official" else {"train", "val"}
    homes: dict[str, set[str]] = {}
    for s, group in zip(samples, groups, strict=True):
        if part.get(s.sample_id) in checked:
            homes.setdefault(group, set()).add(part[s.sample_id])
    assert all(len(home) == 1 for home in homes.values())
    if kind != "official":
        assert leaking_pairs(split, [(samples[a].sample_id, samples[b].sample_id) for a, b in pairs]) == 0
    assert make_split(samples, groups, wanted) == split


@settings(max_examples=60, deadline=None)
@given(grouped_samples(), st.sampled_from(["by_image", "kfold_by_image"]), st.integers(0, 99), st.integers(2, 5))
def test_by_image_every_sample_has_one_part_or_the_set_is_refused(
    drawn: tuple[list[Sample], list[tuple[int, int]]], kind: str, seed: int, folds: int
) -> None:
    samples, _ = drawn
    split = split_or_refusal(samples, singles(samples), SplitSettings(kind=kind, seed=seed, folds=folds))
    if isinstance(split, str):
        return
    assert sorted(split.train + split.val + split.test) == [s.sample_id for s in samples if s.label is not None]


@pytest.mark.parametrize("kind", ["grouped", "by_image"])
@pytest.mark.parametrize("seed", range(4))
def test_shares_and_classes_are_about_as_wanted(kind: str, seed: int) -> None:
    samples = cohort(300, seed, patients=60)
    groups = group_samples(samples, [])
    split = make_split(samples, groups, SplitSettings(kind=kind, seed=seed, val=0.2, test=0.25))
    whole = Counter(s.label for s in samples)
    for part, wanted in {"train": 0.55, "val": 0.2, "test": 0.25}.items():
        assert len(getattr(split, part)) / 300 == pytest.approx(wanted, abs=0.05)
        for finding, number in whole.items():
            share = counts(split, samples)[part][finding] / len(getattr(split, part))
            assert share == pytest.approx(number / 300, abs=0.02 if kind == "by_image" else 0.08)


def test_the_paper_rounds_to_the_nearest() -> None:
    # 780 · 0.15 = 117; 20 · 0.15 = 3, and scikit-learn would round 0.15 · 30 = 4.5 up to 5
    for size, expected in [(780, 117), (20, 3), (30, 4), (31, 5)]:
        samples = [sample(i, LABELS[i % 3]) for i in range(size)]
        assert len(make_split(samples, singles(samples), SplitSettings(kind="by_image")).test) == expected


@pytest.mark.parametrize("kind", ["kfold_by_group", "kfold_by_image", "official"])
def test_each_sample_is_tested_in_exactly_one_fold(kind: str) -> None:
    samples = cohort(300, patients=80)
    groups = group_samples(samples, [])
    tested = [
        name
        for fold in range(5)
        for name in make_split(samples, groups, SplitSettings(kind=kind, folds=5, fold=fold)).test
    ]
    assert sorted(tested) == sorted(s.sample_id for s in samples)


def test_a_seed_decides_and_another_differs() -> None:
    samples = cohort(patients=80)
    groups = group_samples(samples, [])
    for kind in ("grouped", "by_image", "kfold_by_group", "kfold_by_image"):
        one, two, other = (make_split(samples, groups, SplitSettings(kind=kind, seed=seed)) for seed in (1, 1, 2))
        assert one == two
        assert one.digest == two.digest != other.digest


def test_the_digest_is_of_the_parts_and_not_of_their_order() -> None:
    split = Split("by_image", 0, ("a", "b"), ("c",), ("d",))
    assert split.digest == Split("grouped", 7, ("b", "a"), ("c",), ("d",)).digest
    assert split.digest != Split("by_image", 0, ("a",), ("b", "c"), ("d",)).digest


def test_official_parts_are_taken_as_they_are() -> None:
    parts = ["train", "test", "val", "train", "train"]
    samples = [sample(i, LABELS[0], part=part) for i, part in enumerate(parts)]
    split = make_split([*samples, sample(5, None, part="test")], singles([*samples, samples[0]]), official())
    assert split == Split("official", 0, ("s000", "s003", "s004"), ("s002",), ("s001",))


def official(fold: int = 0) -> SplitSettings:
    return SplitSettings(kind="official", fold=fold)


def test_an_official_fold_tests() -> None:
    samples = cohort(200, patients=60)
    groups = group_samples(samples, [])
    split = make_split(samples, groups, official(fold=2))
    assert set(split.test) == {s.sample_id for s in samples if s.official_subset == "3"}


def test_crossing_pairs_by_hand() -> None:
    split = Split("by_image", 0, ("a", "b"), ("c",), ("d",))
    # a-b together, a-c and c-d apart, "x" is unlabelled and in no part
    assert leaking_pairs(split, [("a", "b"), ("a", "c"), ("c", "d"), ("a", "x")]) == 2


@pytest.mark.parametrize(
    ("samples", "wanted", "rule"),
    [
        ([], SplitSettings(), "split grouped: none of the 0 images has a label"),
        ([sample(0, None)], official(), "split official: none of the 1 images has a label"),
        ([sample(i, LABELS[i // 2]) for i in range(6)], SplitSettings(), "class benign: 2 independent group"),
        (
            [sample(i, LABELS[i // 10], f"p{i // 5}") for i in range(30)],
            SplitSettings(),
            r"class benign: 2 independent group\(s\) of images, but train, val and test need one each",
        ),
        (
            [sample(i, LABELS[i % 3]) for i in range(9)],
            SplitSettings(kind="by_image"),
            "1 of 9 images cannot hold every",
        ),
        (
            [sample(i, LABELS[i % 3]) for i in range(12)],
            SplitSettings(kind="kfold_by_group", folds=5),
            "class benign: fewer independent groups than split.folds=5; use fewer folds",
        ),
        ([sample(i, LABELS[i % 3]) for i in range(30)], official(), "test has no official parts; use split.kind="),
        ([sample(i, LABELS[i % 3], part="1") for i in range(30)], official(), "has one official fold only"),
        (
            [sample(i, LABELS[i % 3], part=str(i % 2)) for i in range(30)],
            official(2),
            "no fold 2; they are counted from 0, here 0 to 1",
        ),
        ([sample(i, LABELS[0], part="train") for i in range(9)], official(), "no image left for the val part"),
        (
            [sample(i, LABELS[i], part=part) for i, part in enumerate(["train", "val", "test"])],
            official(),
            "no image of class benign in the train part",
        ),
        (
            [sample(i, LABELS[i % 2], part=str(i // 2)) for i in range(4)],
            official(),
            "class benign: one independent group of images is left for two parts",
        ),
    ],
)
def test_sets_that_cannot_be_split(samples: list[Sample], wanted: SplitSettings, rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        make_split(samples, group_samples(samples, []), wanted)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"val": 0.0}, r"split.val 0.0 and split.test 0.15: each above 0, together below 1"),
        ({"val": 0.5, "test": 0.5}, "together below 1"),
        ({"test": float("nan")}, "each above 0"),
        ({"folds": 1}, "split.fold 0 of split.folds 1: at least 2 folds"),
        ({"folds": 3, "fold": 3}, "split.fold 3 of split.folds 3"),
        ({"fold": -1}, "split.fold -1"),
        ({"seed": -1}, "split.seed -1: must be 0 to 4294967295"),
        ({"seed": 2**32}, "split.seed 4294967296"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, float], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        SplitSettings(**wrong)


def test_the_papers_test_part_of_busi(busi_root: Path) -> None:
    from busight.data.sources.busi import load_busi

    samples = load_busi(str(busi_root)).samples
    for seed in (0, 1):
        split = make_split(samples, singles(samples), SplitSettings(kind="by_image", seed=seed))
        assert [len(split.train), len(split.val), len(split.test)] == [546, 117, 117]
        assert counts(split, samples)["test"] == {"benign": 66, "malignant": 31, "normal": 20}


@pytest.mark.slow
def test_busi_grouped_and_by_image(busi: DatasetManifest, busi_copies: tuple[NearDuplicate, ...]) -> None:
    samples = busi.dataset.samples
    groups = group_samples(samples, [(copy.first, copy.second) for copy in busi_copies])
    pairs = [(samples[copy.first].sample_id, samples[copy.second].sample_id) for copy in busi_copies]
    grouped = make_split(samples, groups, SplitSettings())
    assert leaking_pairs(grouped, pairs) == 0
    for part, share in {"train": 0.7, "val": 0.15, "test": 0.15}.items():
        assert len(getattr(grouped, part)) / 780 == pytest.approx(share, abs=0.03)
        for finding, number in {"benign": 437, "malignant": 210, "normal": 133}.items():
            assert counts(grouped, samples)[part][finding] == pytest.approx(number * share, rel=0.25)
    by_image = make_split(samples, groups, SplitSettings(kind="by_image"))
    assert leaking_pairs(by_image, pairs) > 50  # the leak that the grouped split closes


@pytest.mark.parametrize("kind", ["official", "grouped", "kfold_by_group"])
def test_no_patient_of_busbra_crosses(busbra_root: Path, kind: str) -> None:
    samples = load_busbra(str(busbra_root)).samples
    split = make_split(samples, group_samples(samples, []), SplitSettings(kind=kind, fold=1))
    part = split.subset_of()
    homes: dict[str | None, set[str]] = {}
    for s in samples:
        homes.setdefault(s.patient_id, set()).add(part[s.sample_id])
    assert all(len(home) == 1 for home in homes.values())
    if kind == "official":
        assert set(split.test) == {s.sample_id for s in samples if s.official_subset == "2"}


def test_hypothesis_reaches_both_outcomes() -> None:
    """The property above would prove nothing if every drawn set were refused."""
    made: list[bool] = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(grouped_samples())
    def count(drawn: tuple[list[Sample], list[tuple[int, int]]]) -> None:
        samples, pairs = drawn
        assume(any(s.label for s in samples))
        made.append(isinstance(split_or_refusal(samples, group_samples(samples, pairs), SplitSettings()), Split))

    count()
    assert made.count(True) >= 10
    assert made.count(False) >= 5


def joined() -> tuple[list[Sample], list[str]]:
    """Three sources; the first image of each is one picture in all of them."""
    samples = [
        replace(one, sample_id=f"{source}:{one.sample_id}", source=source)
        for seed, source in enumerate(("busbra", "busi", "bus_uc"))
        for one in cohort(90, seed)
    ]
    groups = [f"g{place}" if place % 90 else "shared" for place in range(len(samples))]
    return samples, groups


def test_each_source_tests_in_turn_and_shares_no_group_with_what_is_trained_on() -> None:
    samples, groups = joined()
    group_of = {one.sample_id: group for one, group in zip(samples, groups, strict=True)}
    tested: list[str] = []
    for fold, name in enumerate(("bus_uc", "busbra", "busi")):
        split = make_split(samples, groups, SplitSettings("leave_one_source_out", fold=fold))
        assert {sample_id.partition(":")[0] for sample_id in split.test} == {name}
        assert len(split.test) == 90
        known = {*split.train, *split.val}
        assert not {group_of[one] for one in known} & {group_of[one] for one in split.test}
        assert len(known) == 178  # of 180: one picture of the two other sources is in the test source too
        assert len(split.val) == pytest.approx(0.15 * 178, rel=0.2)
        tested += split.test
    assert sorted(tested) == sorted(one.sample_id for one in samples)


def test_one_source_cannot_be_left_out_alone() -> None:
    samples = cohort(60)
    with pytest.raises(DataError, match="all images come from test; join sets as"):
        make_split(samples, singles(samples), SplitSettings("leave_one_source_out"))
    samples, groups = joined()
    with pytest.raises(DataError, match="no fold 3; there is one a source: bus_uc, busbra, busi"):
        make_split(samples, groups, SplitSettings("leave_one_source_out", fold=3, folds=4))
