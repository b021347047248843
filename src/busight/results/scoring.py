"""From scored cases to metrics with intervals, overall and by subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.metrics.compute import ScoredCases
from busight.metrics.metric_table import repeated_score_sheet
from busight.metrics.subgroups import Subgroup, subgroups
from busight.metrics.table import ScoreSheet
from busight.results.run_record import Case


def scored_cases(cases: Sequence[Case], classes: tuple[str, ...]) -> ScoredCases:
    """Return cases as the arrays that `busight.metrics` takes."""
    masks = np.array([case.mask.values for case in cases], dtype=np.float64)
    segmented = any(not np.isnan(case.mask.predicted_area_share) for case in cases)
    flagged = [case.flagged for case in cases]
    refused = [case.refused for case in cases]
    second = [np.nan if case.second_reader is None else case.second_reader for case in cases]
    sets = [case.prediction_set for case in cases if case.prediction_set is not None]
    return ScoredCases(
        target=np.array([classes.index(str(case.actual)) for case in cases], dtype=np.int64),
        probs=np.array([case.calibrated_probs for case in cases], dtype=np.float64),
        classes=classes,
        masks=masks if segmented else None,
        flagged=None if None in flagged else np.array(flagged, dtype=bool),
        sets=np.array([[name in one for name in classes] for one in sets]) if len(sets) == len(cases) else None,
        refused=None if None in refused else np.array(refused, dtype=bool),
        second_reader=None if np.isnan(second).all() else np.array(second),
    )


def repeated_sheet(repeats: Sequence[Sequence[Case]], classes: tuple[str, ...], settings: AssessSettings) -> ScoreSheet:
    """Return every score, the mean over repeats of one experiment on the same cases in one order, with its interval.

    Raises:
        DataError: No labelled case, or other cases in one repeat than in another.
    """
    if not repeats or not repeats[0]:
        raise DataError("no labelled image to score; the classes of the data set must be among the bundle's")
    rng = np.random.default_rng(settings.seed)
    groups = [case.group for case in repeats[0]]
    return repeated_score_sheet(
        _in_common(repeats, classes), groups, rng, settings.seed, settings.resamples, settings.level
    )


def _in_common(repeats: Sequence[Sequence[Case]], classes: tuple[str, ...]) -> list[ScoredCases]:
    """Return the repeats' cases without what a bundle of any repeat did not say: the mean is over all of them."""
    found = [scored_cases(cases, classes) for cases in repeats]
    said = ("flagged", "sets", "refused", "second_reader")
    missing = [name for name in said if any(getattr(cases, name) is None for cases in found)]
    nothing: dict[str, Any] = dict.fromkeys(missing)
    return [replace(cases, **nothing) for cases in found]


def subgroups_of(
    repeats: Sequence[Sequence[Case]], classes: tuple[str, ...], settings: AssessSettings
) -> tuple[Subgroup, ...]:
    """Return the scores by what is known of the cases, means over repeats as in `repeated_sheet`."""
    facts, groups = [dict(case.facts) for case in repeats[0]], [case.group for case in repeats[0]]
    found = _in_common(repeats, classes)
    return subgroups(found, facts, groups, settings.seed, min(settings.resamples, 500), settings.level)
