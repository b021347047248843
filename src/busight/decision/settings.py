"""What a recipe may say about the assessment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """The assessment.

    Attributes:
        calibration: Fitted on the validation part: ``temperature``, ``vector``, ``isotonic``, ``beta``, ``auto`` (the
            best of them and of none, by log-loss on folds of the validation part), or ``none``.
        coverage: How often a prediction set is to hold the actual class, for each class; from the validation part.
        sensitivity: Wanted sensitivity of the operating point of the last class, chosen on the validation part.
        resamples: Bootstrap resamples over groups.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    calibration: Literal["none", "temperature", "vector", "isotonic", "beta", "auto"] = "temperature"
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    sensitivity: Annotated[float, Field(gt=0, le=1)] = 0.95
    resamples: Annotated[int, Field(ge=1)] = 2000
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
