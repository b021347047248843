"""Splits into train, validation and test subset: seeded, stratified, by group or (as the paper) by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from busight.errors import ConfigError, DataError
from busight.io.digests import sha256_of_json
from busight.types import Sample

SUBSETS = ("train", "val", "test")
SplitKind = Literal["grouped", "by_image", "kfold_by_group", "kfold_by_image", "leave_one_source_out", "official"]


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Settings of a split.

    Attributes:
        kind: ``grouped`` (by patient and near-duplicate component), ``by_image`` (as the paper does),
            ``kfold_by_group`` and ``kfold_by_image`` (cross-validation of either kind), ``leave_one_source_out`` (each
            joined data set tests in turn, in the order of their names), ``official`` (the authors' subsets or folds).
        seed: Seed of the shuffling, 0 to 2^32 - 1.
        val: Share of images for validation.
        test: Share of images for test.
        folds: Number of folds.
        fold: Which fold tests, counted from 0.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    kind: SplitKind = "grouped"
    seed: int = 0
    val: float = 0.15
    test: float = 0.15
    folds: int = 5
    fold: int = 0

    def __post_init__(self) -> None:
        """Raise for shares and folds out of range."""
        if not (0 < self.val < 1 and 0 < self.test < 1 and self.val + self.test < 1):
            raise ConfigError(f"split.val {self.val} and split.test {self.test}: each above 0, together below 1")
        if self.folds < 2 or not 0 <= self.fold < self.folds:
            raise ConfigError(f"split.fold {self.fold} of split.folds {self.folds}: at least 2 folds, counted from 0")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"split.seed {self.seed}: must be 0 to 4294967295")


@dataclass(frozen=True, slots=True)
class Split:
    """A split: sample ids by subset.

    Attributes:
        kind: The kind that made it.
        seed: The seed that made it.
        train: Sample ids.
        val: Sample ids; everything that is chosen or fitted after training uses these.
        test: Sample ids; used once.
    """

    kind: str
    seed: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the three subsets, independent of the order of their ids."""
        return sha256_of_json([sorted(self.train), sorted(self.val), sorted(self.test)])

    def subset_of(self) -> dict[str, str]:
        """Return the subset of each sample id."""
        return {sample_id: subset for subset in SUBSETS for sample_id in getattr(self, subset)}


def make_split(samples: Sequence[Sample], groups: Sequence[str], settings: SplitSettings) -> Split:
    """Split labelled samples; unlabelled ones belong to no subset.

    Args:
        samples: N samples.
        groups: Their N group names.
        settings: Settings of the split.

    Returns:
        The split. For every kind but ``by_image``, ``kfold_by_image`` and ``official`` no group is in two subsets.

    Raises:
        DataError: Too few cases or groups for the wanted subsets, or the data set has no official subsets.
    """
    labelled = [index for index, sample in enumerate(samples) if sample.label is not None]
    if not labelled:
        raise DataError(f"split {settings.kind}: none of the {len(samples)} images has a label; use labelled data")
    kept = [samples[index] for index in labelled]
    names = [groups[index] for index in labelled]
    if settings.kind == "official":
        subset = _official(kept, names, settings)
    elif settings.kind == "leave_one_source_out":
        subset = _source_folds(kept, names, settings)
    else:
        by_image = settings.kind in ("by_image", "kfold_by_image")
        subset = _random(kept, [s.sample_id for s in kept] if by_image else names, settings)
    ids = {
        name: tuple(sample.sample_id for sample, where in zip(kept, subset, strict=True) if where == name)
        for name in SUBSETS
    }
    _check_parts(kept, subset, settings.kind)
    return Split(settings.kind, settings.seed, **ids)


def _check_parts(samples: list[Sample], part: list[str], kind: str) -> None:
    for name in SUBSETS:
        if name not in part:
            raise DataError(f"split {kind}: no image left for the {name} part; use more data or other shares")
    if kind == "leave_one_source_out":
        return  # a class that only one source has cannot be learned from the others
    # A class missing from val or test gives undefined metrics, which are reported; one missing from train is never
    # learned.
    trained = {sample.label for sample, where in zip(samples, part, strict=True) if where == "train"}
    if unseen := {str(sample.label) for sample in samples if sample.label not in trained}:
        raise DataError(
            f"split {kind}: no image of class {min(unseen)} in the train part; use more data or another split.seed"
        )


def _random(samples: list[Sample], groups: list[str], settings: SplitSettings) -> list[str]:
    labels = np.array([str(sample.label) for sample in samples])
    _, group_index = np.unique(np.array(groups), return_inverse=True)
    _check_enough(labels, group_index)
    everything = np.arange(len(samples))
    if settings.kind in ("kfold_by_group", "kfold_by_image"):
        test = _fold(labels, group_index, settings)
    else:
        test = _share(everything, labels, group_index, settings.test, settings)
    rest = np.setdiff1d(everything, test)
    wanted = settings.val / (1 - settings.test) if settings.kind in ("by_image", "grouped") else settings.val
    val = _share(rest, labels, group_index, wanted, settings)
    subset = np.full(len(samples), "train", dtype=object)
    subset[test] = "test"
    subset[val] = "val"
    return [str(name) for name in subset]


def _check_enough(labels: NDArray[np.str_], groups: NDArray[np.int64]) -> None:
    for name in np.unique(labels):
        count = len(np.unique(groups[labels == name]))
        if count < len(SUBSETS):
            raise DataError(
                f"class {name}: {count} independent group(s) of images, but train, val and test need one each; "
                "add data of this class"
            )


def _share(
    index: NDArray[np.int64], labels: NDArray[np.str_], groups: NDArray[np.int64], share: float, settings: SplitSettings
) -> NDArray[np.int64]:
    """Draw a stratified share of ``index``, whole groups at a time unless the split is by image."""
    from sklearn.model_selection import StratifiedGroupKFold, train_test_split

    if settings.kind in ("by_image", "kfold_by_image"):
        # The size is rounded as the paper's 117 of 780; scikit-learn would round up.
        size = round(share * len(index))
        try:
            drawn: NDArray[np.int64] = train_test_split(
                index, test_size=size, stratify=labels[index], random_state=settings.seed
            )[1]
        except ValueError as error:
            raise DataError(
                f"split {settings.kind}: {size} of {len(index)} images cannot hold every class; "
                "use more data or larger shares"
            ) from error
        return np.sort(drawn)
    pieces = _pieces(labels[index], groups[index])
    wanted = max(1, round(share * pieces))
    splitter = StratifiedGroupKFold(pieces, shuffle=True, random_state=settings.seed)
    folds = [test for _, test in splitter.split(index, labels[index], groups[index])]
    return np.sort(index[np.concatenate(folds[:wanted])])


def _pieces(labels: NDArray[np.str_], groups: NDArray[np.int64]) -> int:
    """Cut into up to 20 pieces, fewer where a class has fewer groups than that."""
    fewest, name = min((len(np.unique(groups[labels == name])), str(name)) for name in np.unique(labels))
    if fewest < 2:
        raise DataError(
            f"class {name}: one independent group of images is left for two parts; "
            "add data of this class or use another split.seed"
        )
    return min(20, fewest)


def _fold(labels: NDArray[np.str_], groups: NDArray[np.int64], settings: SplitSettings) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    for name in np.unique(labels):
        if len(np.unique(groups[labels == name])) < settings.folds:
            raise DataError(
                f"class {name}: fewer independent groups than split.folds={settings.folds}; use fewer folds"
            )
    by_image = settings.kind == "kfold_by_image"
    kind = StratifiedKFold if by_image else StratifiedGroupKFold
    splitter = kind(settings.folds, shuffle=True, random_state=settings.seed)
    everything = np.arange(len(labels))
    folds = splitter.split(everything, labels, None if by_image else groups)
    tests: list[NDArray[np.int64]] = [test for _, test in folds]
    return tests[settings.fold]


def _official(samples: list[Sample], groups: list[str], settings: SplitSettings) -> list[str]:
    parts = [sample.official_subset for sample in samples]
    if any(subset is None for subset in parts):
        raise DataError(f"split official: {samples[0].source} has no official parts; use split.kind=grouped")
    if set(parts) <= set(SUBSETS):
        return [str(subset) for subset in parts]
    # Official folds: the wanted fold tests; validation is drawn by group from the others.
    names = sorted(set(map(str, parts)), key=lambda name: (len(name), name))  # 2 before 10
    if len(names) < 2:
        raise DataError(f"split official: {samples[0].source} has one official fold only; use split.kind=grouped")
    if settings.fold >= len(names):
        raise DataError(f"split official: no fold {settings.fold}; they are counted from 0, here 0 to {len(names) - 1}")
    test = np.array([subset == names[settings.fold] for subset in parts])
    labels = np.array([str(sample.label) for sample in samples])
    _, group_index = np.unique(np.array(groups), return_inverse=True)
    val = _share(np.nonzero(~test)[0], labels, group_index, settings.val, settings)
    subset = np.where(test, "test", "train").astype(object)
    subset[val] = "val"
    return [str(name) for name in subset]


def source_names(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the names of the data sets that samples come from, sorted: the folds of ``leave_one_source_out``."""
    return tuple(sorted({sample.source for sample in samples}))


def _source_folds(samples: list[Sample], groups: list[str], settings: SplitSettings) -> list[str]:
    """Let one source test; images of the others that share a group with it belong to no subset."""
    names = source_names(samples)
    if len(names) < 2:
        raise DataError(
            f"split leave_one_source_out: all images come from {names[0]}; join sets as 'busi:PATH + busbra:PATH'"
        )
    if settings.fold >= len(names):
        raise DataError(
            f"split leave_one_source_out: no fold {settings.fold}; there is one a source: {', '.join(names)}"
        )
    test = np.array([sample.source == names[settings.fold] for sample in samples])
    tested = {group for group, held in zip(groups, test, strict=True) if held}
    rest = np.array([not held and group not in tested for group, held in zip(groups, test, strict=True)])
    labels = np.array([str(sample.label) for sample in samples])
    _, group_index = np.unique(np.array(groups), return_inverse=True)
    subset = np.full(len(samples), "", dtype=object)
    subset[test], subset[rest] = "test", "train"
    subset[_share(np.nonzero(rest)[0], labels, group_index, settings.val, settings)] = "val"
    return [str(name) for name in subset]


def leaking_pairs(split: Split, pairs: Sequence[tuple[str, str]]) -> int:
    """Count near-duplicate pairs (given as sample ids) whose two images are in different subsets."""
    subset = split.subset_of()
    return sum(subset[a] != subset[b] for a, b in pairs if a in subset and b in subset)
