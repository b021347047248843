"""Scores by device, category, size and other facts about the cases: where a model is worse than on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.metrics.compute import ScoredCases
from busight.metrics.metric_table import repeated_score_sheet
from busight.metrics.table import ScoreSheet

FEW = 20
"""Cases below which a subgroup's scores are shown with a warning."""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The cases that share one fact.

    Attributes:
        fact: What is told apart (``"device"``).
        value: The shared value.
        sheet: Their scores.
    """

    fact: str
    value: str
    sheet: ScoreSheet

    @property
    def few(self) -> bool:
        """There are too few cases to conclude anything."""
        return self.sheet.n_images < FEW


def subgroups(
    repeats: Sequence[ScoredCases],
    facts: Sequence[dict[str, str]],
    groups: Sequence[str],
    seed: int,
    resamples: int = 500,
    level: float = 0.95,
) -> tuple[Subgroup, ...]:
    """Score the cases of each value of each fact; a fact that has one value only tells nothing and is left out.

    Args:
        repeats: The cases of each repeat, in one order.
        facts: (N,), what is known of each case; a fact that is not known is absent.
        groups: (N,), patient or near-duplicate component of each case.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples of each subgroup.
        level: Coverage of the intervals, between 0 and 1.

    Returns:
        In the order in which the facts first appear, values sorted.

    Raises:
        DataError: The arrays do not belong together.
    """
    found = []
    for fact in dict.fromkeys(name for known in facts for name in known):
        values = sorted({known[fact] for known in facts if fact in known})
        if len(values) < 2:
            continue
        for value in values:
            chosen = np.array([known.get(fact) == value for known in facts])
            own = [_only(cases, chosen) for cases in repeats]
            kept = [group for group, is_in in zip(groups, chosen, strict=True) if is_in]
            sheet = repeated_score_sheet(own, kept, np.random.default_rng(seed), seed, resamples, level)
            found.append(Subgroup(fact, value, sheet))
    return tuple(found)


def _only(cases: ScoredCases, chosen: NDArray[np.bool_]) -> ScoredCases:
    """Return some of the cases: every field that is an array has one entry a case."""
    values = {field.name: getattr(cases, field.name) for field in fields(cases)}
    some: dict[str, Any] = {name: of[chosen] for name, of in values.items() if isinstance(of, np.ndarray)}
    return replace(cases, **some)
