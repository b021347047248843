"""Metrics of evaluated cases, overall and by subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from busight.data.labels import LabelSchema
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.metrics.compute import ScoredCases
from busight.metrics.mask_scores import stack_mask_scores
from busight.metrics.metric_table import repeated_metric_table
from busight.metrics.subgroups import Subgroup, subgroups
from busight.metrics.table import MetricTable
from busight.results.case import Case


def scored_cases(cases: Sequence[Case], labels: LabelSchema) -> ScoredCases:
    """Return cases as the arrays that `busight.metrics` takes."""
    mask_scores = stack_mask_scores([case.mask_scores for case in cases])
    segmented = any(not np.isnan(case.mask_scores.predicted_area_fraction) for case in cases)
    above_threshold = [case.above_threshold for case in cases]
    rejected = [case.rejected for case in cases]
    descriptor_probs = np.array([case.descriptor_prob_positive for case in cases], dtype=np.float64)
    sets = [case.prediction_set for case in cases if case.prediction_set is not None]
    return ScoredCases(
        target=np.array([labels.names.index(case.target) for case in cases], dtype=np.int64),
        probs=np.array([case.calibrated_probs for case in cases], dtype=np.float64),
        classes=labels.names,
        positive=labels.positive_index,
        # Of two classes alone, their comparison is that of every image.
        lesion_pair=labels.lesion_pair if len(labels.names) > 2 else None,
        mask_scores=mask_scores if segmented else None,
        above_threshold=None if None in above_threshold else np.array(above_threshold, dtype=bool),
        prediction_sets=np.array([[name in of_case for name in labels.names] for of_case in sets])
        if len(sets) == len(cases)
        else None,
        rejected=None if None in rejected else np.array(rejected, dtype=bool),
        descriptor_probs=None if np.isnan(descriptor_probs).all() else descriptor_probs,
    )


def case_metrics(repeats: Sequence[Sequence[Case]], labels: LabelSchema, settings: AssessSettings) -> MetricTable:
    """Compute every metric with its interval, the mean over repeats of one experiment on the same cases in one order.

    Raises:
        DataError: No labelled case, or the repeats have different cases.
    """
    if not repeats or not repeats[0]:
        raise DataError("no labelled image to score; the classes of the data set must be among the bundle's")
    rng = np.random.default_rng(settings.seed)
    groups = [case.group for case in repeats[0]]
    arrays = _arrays_in_common(repeats, labels)
    return repeated_metric_table(arrays, groups, rng, settings.seed, settings.resamples, settings.level)


def subgroup_metrics(
    repeats: Sequence[Sequence[Case]], labels: LabelSchema, settings: AssessSettings
) -> tuple[Subgroup, ...]:
    """Compute the metrics by attribute of the cases, means over repeats as in `case_metrics`."""
    metadata, groups = [dict(case.metadata) for case in repeats[0]], [case.group for case in repeats[0]]
    arrays = _arrays_in_common(repeats, labels)
    return subgroups(arrays, metadata, groups, settings.seed, min(settings.resamples, 500), settings.level)


def _arrays_in_common(repeats: Sequence[Sequence[Case]], labels: LabelSchema) -> list[ScoredCases]:
    """Return the repeats' cases without the fields that the bundle of any repeat lacks: a mean is over all repeats."""
    arrays = [scored_cases(cases, labels) for cases in repeats]
    optional = ("above_threshold", "prediction_sets", "rejected", "descriptor_probs")
    missing = [name for name in optional if any(getattr(cases, name) is None for cases in arrays)]
    nothing: dict[str, Any] = dict.fromkeys(missing)
    return [replace(cases, **nothing) for cases in arrays]
