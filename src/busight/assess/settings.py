"""What a recipe may say about the assessment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """The assessment.

    Attributes:
        calibration: ``temperature`` (fitted on the validation part) or ``none``.
        sensitivity: Wanted sensitivity of the operating point of the last class, chosen on the validation part.
        resamples: Bootstrap resamples over groups.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    calibration: Literal["temperature", "none"] = "temperature"
    sensitivity: Annotated[float, Field(gt=0, le=1)] = 0.95
    resamples: Annotated[int, Field(ge=1)] = 2000
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
