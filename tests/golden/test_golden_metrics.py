"""Every metric and interval of one fixed set of cases, to nine digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_file import check
from synthetic_record import labels_of, synthetic_record

from busight.decision.settings import AssessSettings
from busight.metrics.paired import compare
from busight.metrics.subgroups import subgroups
from busight.results.case import Case
from busight.results.ensemble import ensemble_cases
from busight.results.scoring import case_metrics, scored_cases, subgroup_metrics

SETTINGS = AssessSettings(resamples=200)
TASKS: dict[str, dict[str, Any]] = {
    "three-classes": {},
    "two-classes": {"classes": ("not malignant", "malignant"), "counts": (60, 30)},
    "unsegmented": {"segmented": False},
}


def cases_of(name: str, seed: int = 0) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    record = synthetic_record(seed=seed, images=0, **TASKS[name])
    return record.cases, labels_of(record.classes)


@pytest.mark.parametrize("name", TASKS)
def test_metrics_and_intervals(name: str) -> None:
    cases, labels = cases_of(name)
    table = case_metrics([cases], labels, SETTINGS)
    check(f"metrics-{name}", {"confusion": table.confusion, "scores": [_row(one) for one in table.rows]}, 1e-9)


def test_metrics_over_repeats_and_of_an_ensemble() -> None:
    repeats = [cases_of("three-classes", seed)[0] for seed in (1, 2, 3)]
    labels = cases_of("three-classes")[1]
    mean = case_metrics(repeats, labels, SETTINGS)
    ensemble = case_metrics([ensemble_cases(repeats, labels.names)], labels, SETTINGS)
    check("metrics-repeats", {"mean": [_row(one) for one in mean.rows]}, 1e-9)
    check("metrics-ensemble", {"ensemble": [_row(one) for one in ensemble.rows]}, 1e-9)


def test_comparison() -> None:
    (first, labels), (second, _) = cases_of("three-classes", 1), cases_of("three-classes", 2)
    groups = [case.group for case in first]
    found = compare([scored_cases(first, labels)], [scored_cases(second, labels)], groups, 0, 200, 0.95)
    check("metrics-comparison", {"differences": [_row(one) for one in found.differences]}, 1e-9)


def test_subgroups() -> None:
    cases, labels = cases_of("three-classes")
    found = subgroups(
        [scored_cases(cases, labels)],
        [{"device": "first" if index % 3 else "second"} for index in range(len(cases))],
        [case.group for case in cases],
        0,
        100,
        0.95,
    )
    assert subgroup_metrics([cases], labels, SETTINGS) == ()
    check("metrics-subgroups", [_row(one) for one in found], 1e-9)


def _row(one: Any) -> list[Any]:
    """Return a record's values in their order, nested records and arrays as lists."""
    if isinstance(one, np.generic | np.ndarray):
        return one.tolist()
    if isinstance(one, tuple | list):
        return [_row(value) for value in one]
    if hasattr(one, "__dataclass_fields__"):
        return [_row(getattr(one, name)) for name in one.__dataclass_fields__]
    return one  # type: ignore[no-any-return]
