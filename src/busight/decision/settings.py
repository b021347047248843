"""The recipe's ``assess`` section: the fitted decisions, and the intervals of the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """The assessment.

    Attributes:
        calibration: ``temperature``, ``vector``, ``isotonic``, ``beta``, ``auto`` (the best of them and of none, by
            log-loss on grouped folds of the calibration cases), or ``none``.
        calibrate_on: The cases that calibration, threshold and conformal limits are fitted on: the ``validation``
            subset, or the out-of-fold predictions of ``inner-folds`` over training and validation subset, which are
            many more and not used for any other choice, at the cost of as many more trainings.
        inner_folds: Folds of ``inner-folds``.
        coverage: Coverage of the prediction sets, for each class.
        sensitivity: Wanted sensitivity of the threshold for the positive class.
        descriptor_weight: Weight of the descriptor model's log-odds (`busight.decision.fusion`), of the positive
            against the other lesion class by the BI-RADS descriptors of the segmented lesion; 0 leaves the network's
            logits unchanged. For classes that grade lesions and strategies with a mask.
        resamples: Bootstrap resamples over groups.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    calibration: Literal["none", "temperature", "vector", "isotonic", "beta", "auto"] = "temperature"
    calibrate_on: Literal["validation", "inner-folds"] = "validation"
    inner_folds: Annotated[int, Field(ge=2, le=20)] = 5
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    sensitivity: Annotated[float, Field(gt=0, le=1)] = 0.95
    descriptor_weight: Annotated[float, Field(ge=0, le=10)] = 0.0
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 2000
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
