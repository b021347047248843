"""Comparison of two runs, evaluations or cross-validations on the cases that both were tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from busight._version import __version__
from busight.data.labels import LabelSchema
from busight.data.manifest_file import read_image_digests
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.metrics.paired import Comparison, compare
from busight.results.case import Case
from busight.results.crossval_folder import fold_folder, repeat_cases
from busight.results.plan_file import PLAN_FILE
from busight.results.scoring import scored_cases
from busight.results.store import CASES_FILE, MANIFEST_FILE, finished_cases


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A comparison with its two folders.

    Attributes:
        first: The first folder.
        second: The second folder.
        only_first: Cases that only the first was tested on; left out.
        only_second: Cases that only the second was tested on; left out.
        comparison: Differences and tests on the shared cases.
    """

    first: Path
    second: Path
    only_first: int
    only_second: int
    comparison: Comparison

    def document(self) -> dict[str, Any]:
        """Return everything as JSON; NaN is null there."""
        return {
            "format": 1,
            "created_by": f"busight {__version__}",
            "first": str(self.first),
            "second": str(self.second),
            "only_first": self.only_first,
            "only_second": self.only_second,
            **asdict(self.comparison),
        }


def compare_runs(first: Path, second: Path, settings: AssessSettings | None = None) -> RunComparison:
    """Compare two folders of ``run``, ``evaluate`` or ``crossval`` on their shared cases.

    Two cross-validations are compared repeat by repeat; a surplus of repeats on one side is left out.

    Args:
        first: A folder.
        second: Another.
        settings: Resampling of the intervals.

    Raises:
        DataError: A folder holds no cases, the classes differ, no case is shared, or a shared case has two labels.
    """
    settings = settings or AssessSettings()
    (ours, labels), (theirs, other_labels) = _cases(first), _cases(second)
    if labels != other_labels:
        own_classes, other_classes = (", ".join(schema.names) for schema in (labels, other_labels))
        raise DataError(f"{first} has the classes {own_classes}, {second} {other_classes}; compare runs of one task")
    repeats = min(len(ours), len(theirs))
    ours, theirs = ours[:repeats], theirs[:repeats]
    known, other = ({case.sample_id: case for case in repeats_of_run[0]} for repeats_of_run in (ours, theirs))
    shared = sorted(known.keys() & other.keys())
    if not shared:
        raise DataError(
            f"{first} and {second} share no case; test both on the same images: two cross-validations of one set, or "
            "the test subset of one split (--split)"
        )
    _require_same_images(first, second, shared)
    for name in shared:
        if known[name].target != other[name].target:
            raise DataError(
                f"{name}: labelled {known[name].target} in {first} and {other[name].target} in {second}; "
                "compare runs on the same data"
            )
    comparison = compare(
        [scored_cases(_pick(cases, shared), labels) for cases in ours],
        [scored_cases(_pick(cases, shared), labels) for cases in theirs],
        [known[name].group for name in shared],
        settings.seed,
        settings.resamples,
        settings.level,
    )
    return RunComparison(first, second, len(known) - len(shared), len(other) - len(shared), comparison)


def _cases(folder: Path) -> tuple[tuple[tuple[Case, ...], ...], LabelSchema]:
    """Return the cases of a folder, by repeat, and their labels."""
    if (folder / CASES_FILE).is_file():
        try:
            cases, labels = finished_cases(folder)
        except DataError as error:
            raise DataError(f"{error}; make this result anew, or go on with an interrupted one by --resume") from error
        return (cases,), labels
    if folder.is_dir() and (folder / PLAN_FILE).is_file():
        return repeat_cases(folder)
    raise DataError(f"{folder}: holds no cases.csv; name the folder of a finished run, evaluate or crossval")


def _require_same_images(first: Path, second: Path, shared: Sequence[str]) -> None:
    """Refuse results on images that share nothing but their names; folders without a manifest are taken at their word.

    Raises:
        DataError: An image differs.
    """
    own, other = (_image_digests(folder) for folder in (first, second))
    for name in shared:
        if name in own and name in other and own[name].isdisjoint(other[name]):
            raise DataError(
                f"{name}: another image in {first} than in {second}, under one name; compare results on the same data"
            )


def _image_digests(folder: Path) -> dict[str, frozenset[str]]:
    # All folds of a cross-validation have the same manifest.
    manifests = [folder / MANIFEST_FILE, fold_folder(folder, 0, 0) / MANIFEST_FILE]
    return next((read_image_digests(path) for path in manifests if path.is_file()), {})


def _pick(cases: Sequence[Case], names: Sequence[str]) -> list[Case]:
    by_name = {case.sample_id: case for case in cases}
    return [by_name[name] for name in names]
