"""Several networks as one: the mean of what they say of the same cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from busight.metrics.activations import expit, logit
from busight.metrics.mask_scores import MaskScores
from busight.results.run_record import Case


def together(networks: Sequence[Sequence[Case]], classes: tuple[str, ...]) -> tuple[Case, ...]:
    """Join what several networks say of the same cases: mean logits and probabilities, flagged by the majority.

    They have no mask, no prediction set and no gate in common; what rests on them is undefined.

    Args:
        networks: The cases of each network, in one order.
        classes: Class names, in the order of the vectors.
    """
    return tuple(_joined(cases, classes) for cases in zip(*networks, strict=True))


def _joined(cases: Sequence[Case], classes: tuple[str, ...]) -> Case:
    def mean(name: str) -> tuple[float, ...]:
        return tuple(np.mean([getattr(case, name) for case in cases], axis=0).tolist())

    probs = mean("calibrated_probs")
    flags = Counter(case.flagged for case in cases)
    return replace(
        cases[0],
        predicted=classes[int(np.argmax(probs))],
        logits=mean("logits"),
        raw_probs=mean("raw_probs"),
        calibrated_probs=probs,
        mask=MaskScores(true_area_share=cases[0].mask.true_area_share),
        flagged=None if None in flags else flags[True] * 2 > len(cases),
        prediction_set=None,
        refused=None,
        second_reader=_mean_log_odds([case.second_reader for case in cases]),
    )


def _mean_log_odds(probs: Sequence[float | None]) -> float | None:
    """Return the probability of the mean log-odds; None where one of the readers says nothing."""
    known = [value for value in probs if value is not None]
    if len(known) < len(probs):
        return None
    return float(expit(np.mean(logit(known))))
