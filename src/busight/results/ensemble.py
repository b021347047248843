"""Ensemble of several networks: the mean of their predictions of the same cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from busight.metrics.activations import expit, logit
from busight.metrics.mask_scores import MaskScores
from busight.results.case import Case


def ensemble_cases(networks: Sequence[Sequence[Case]], classes: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases of an ensemble: mean logits and probabilities, above the threshold by majority vote.

    The networks have no mask, no prediction set and no out-of-distribution detector in common; values derived from them
    are undefined.

    Args:
        networks: The cases of each network, in one order.
        classes: Class names, in the order of the vectors.
    """
    return tuple(_ensemble_case(cases, classes) for cases in zip(*networks, strict=True))


def _ensemble_case(cases: Sequence[Case], classes: tuple[str, ...]) -> Case:
    def mean(name: str) -> tuple[float, ...]:
        return tuple(np.mean([getattr(case, name) for case in cases], axis=0).tolist())

    probs = mean("calibrated_probs")
    votes = Counter(case.above_threshold for case in cases)
    return replace(
        cases[0],
        prediction=classes[int(np.argmax(probs))],
        logits=mean("logits"),
        raw_probs=mean("raw_probs"),
        calibrated_probs=probs,
        mask_scores=MaskScores(annotated_area_fraction=cases[0].mask_scores.annotated_area_fraction),
        above_threshold=None if None in votes else votes[True] * 2 > len(cases),
        prediction_set=None,
        rejected=None,
        descriptor_prob_positive=_mean_log_odds([case.descriptor_prob_positive for case in cases]),
    )


def _mean_log_odds(probs: Sequence[float | None]) -> float | None:
    """Return the probability of the mean log-odds; None where one of the models has none."""
    known = [value for value in probs if value is not None]
    if len(known) < len(probs):
        return None
    return float(expit(np.mean(logit(known))))
