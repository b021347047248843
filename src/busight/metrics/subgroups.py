"""Metrics by subgroup: device, BI-RADS category, lesion size and other metadata of the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busight.metrics.compute import ScoredCases
from busight.metrics.metric_table import repeated_metric_table
from busight.metrics.table import MetricTable

FEW = 20
"""Cases below which a subgroup's metrics are shown with a warning."""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The cases that share the value of one attribute.

    Attributes:
        attribute: A key of the cases' metadata (``"device"``).
        value: The shared value.
        table: Their metrics.
    """

    attribute: str
    value: str
    table: MetricTable

    @property
    def few(self) -> bool:
        """Whether there are too few cases for a conclusion."""
        return self.table.n_images < FEW


def subgroups(
    repeats: Sequence[ScoredCases],
    metadata: Sequence[dict[str, str]],
    groups: Sequence[str],
    seed: int,
    resamples: int = 500,
    level: float = 0.95,
) -> tuple[Subgroup, ...]:
    """Compute the metrics of each value of each attribute; an attribute of a single value is left out.

    Args:
        repeats: The cases of each repeat, in one order.
        metadata: (N,), attributes of each case; an unknown attribute is absent.
        groups: (N,), patient or near-duplicate component of each case.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples of each subgroup.
        level: Coverage of the intervals, between 0 and 1.

    Returns:
        In the order in which the attributes first appear, values sorted.

    Raises:
        DataError: The arrays are invalid or of different lengths.
    """
    tables: list[Subgroup] = []
    for attribute in dict.fromkeys(name for attributes in metadata for name in attributes):
        values = sorted({attributes[attribute] for attributes in metadata if attribute in attributes})
        if len(values) < 2:
            continue
        for value in values:
            selected = np.array([attributes.get(attribute) == value for attributes in metadata])
            cases_of_value = [cases.select(selected) for cases in repeats]
            groups_of_value = [group for group, is_selected in zip(groups, selected, strict=True) if is_selected]
            rng = np.random.default_rng(seed)
            table = repeated_metric_table(cases_of_value, groups_of_value, rng, seed, resamples, level)
            tables.append(Subgroup(attribute, value, table))
    return tuple(tables)
