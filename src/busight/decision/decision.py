"""The decision: from a network's logits to calibrated probabilities, a threshold and prediction sets."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from busight.data.labels import LabelSchema
from busight.decision.calibration.catalogue import AnyCalibrator
from busight.decision.calibration.identity import Identity
from busight.decision.conformal import ConformalSets
from busight.decision.fusion import DescriptorFusion
from busight.decision.ood import OodDetector
from busight.types import FloatArray

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Calibration(_Part):
    """A calibrator and where it comes from.

    Attributes:
        calibrator: From logits to calibrated probabilities.
        calibrated: False where no calibration could be fitted or none was requested. With the identity it is true where
            that was the best method, or where each of several networks is calibrated on its own cases.
        cases: Number of cases that it was fitted on.
        prevalence: Prevalence of the positive class among these cases; None without a positive class.
        source: The cases in words, and what else was fitted on them.
    """

    calibrator: AnyCalibrator = Identity()
    calibrated: bool = True
    cases: int = Field(ge=0)
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    source: str


class Threshold(_Part):
    """A threshold on the positive class's calibrated probability; null where undefined.

    Attributes:
        wanted_sensitivity: The sensitivity that it was chosen for.
        threshold: A case is above threshold at ``probability >= threshold``.
        sensitivity: On the cases that it was chosen on.
        specificity: On the cases that it was chosen on.
        source: These cases in words.
    """

    wanted_sensitivity: Probability
    threshold: Probability | None
    sensitivity: Probability | None
    specificity: Probability | None
    source: str


class Decision(_Part):
    """Everything that is fitted after the networks: from logits to a prediction.

    Attributes:
        calibration: Calibrated probabilities.
        threshold: For the positive class; None without one.
        conformal: Prediction sets; None without them.
        ood: The out-of-distribution detector; None where no image is rejected.
        fusion: The fusion with the descriptor model; None where the bundle has none.
    """

    calibration: Calibration
    threshold: Threshold | None = None
    conformal: ConformalSets | None = None
    ood: OodDetector | None = None
    fusion: DescriptorFusion | None = None

    def require_classes(self, n_classes: int) -> Self:
        """Return the decision; raise where it was fitted on another number of classes.

        Raises:
            ValueError: A part was fitted on another number of classes.
        """
        calibrator = self.calibration.calibrator
        if not calibrator.fits(n_classes):
            raise ValueError(f"its {calibrator.method} calibration is not of {n_classes} classes")
        if self.conformal is not None and len(self.conformal.thresholds) != n_classes:
            raise ValueError(f"its prediction sets are not of {n_classes} classes")
        return self

    @model_validator(mode="after")
    def _finite_limits(self) -> Self:
        if self.conformal is not None and not np.isfinite(self.conformal.thresholds).all():
            raise ValueError("the limits of prediction sets are finite")
        return self

    def probs(self, logits: FloatArray) -> FloatArray:
        """Return calibrated probabilities, float64 (K,), of logits, float64 (K,)."""
        probs: FloatArray = self.calibration.calibrator.apply(logits[None])[0]
        return probs

    def above_threshold(self, probs: FloatArray, labels: LabelSchema) -> bool | None:
        """Return whether the positive class's probability reaches the threshold; None without one."""
        if self.threshold is None or self.threshold.threshold is None or labels.positive_index is None:
            return None
        # NaN, which compares as False, must not count as below.
        return not probs[labels.positive_index] < self.threshold.threshold

    def prediction_set(self, probs: FloatArray, labels: LabelSchema) -> tuple[str, ...] | None:
        """Return the classes of the prediction set, which may be empty; None without prediction sets."""
        if self.conformal is None:
            return None
        inside = self.conformal.sets(probs[None])[0]
        return tuple(name for name, within in zip(labels.names, inside, strict=True) if within)


UNCALIBRATED = Calibration(calibrated=False, cases=0, source="not calibrated")
