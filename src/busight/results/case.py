"""One evaluated image: its label, its prediction and the scores of its mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.metrics.mask_scores import MaskScores
from busight.types import Image, Mask, Roi


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluated image.

    Attributes:
        sample_id: The sample.
        group: Group of the case: cases of one group are never split and are resampled together.
        target: The target: the label as a class name of the task.
        prediction: The class with the highest calibrated probability.
        logits: Logit of each class.
        raw_probs: Probability of each class before calibration.
        calibrated_probs: Probability of each class after calibration.
        mask_scores: Scores of the predicted lesion mask against the annotated one.
        above_threshold: Whether the positive class's calibrated probability reaches the bundle's threshold; None
            without one.
        prediction_set: Classes in the prediction set; None without prediction sets.
        rejected: Whether the bundle rejects this image as out of distribution; None without a detector. It counts in
            the metrics all the same.
        descriptor_prob_positive: Probability of the positive class by the descriptor model; None where it has none.
        metadata: (attribute, value) of known attributes: device, BI-RADS, histology, lesion size, overlay.
    """

    sample_id: str
    group: str
    target: str
    prediction: str
    logits: tuple[float, ...]
    raw_probs: tuple[float, ...]
    calibrated_probs: tuple[float, ...]
    mask_scores: MaskScores
    above_threshold: bool | None
    prediction_set: tuple[str, ...] | None = None
    rejected: bool | None = None
    descriptor_prob_positive: float | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the prediction differs from the target."""
        return self.prediction != self.target


@dataclass(frozen=True, slots=True, eq=False)
class StageImages:
    """One case with the image after every stage of the chain, all in the pixels of the image but ``region``.

    Attributes:
        case: The evaluated case.
        image: uint8 HW, as read.
        enhanced: uint8 HW.
        mask: Predicted lesion, bool HW, or None without segmentation.
        annotated_mask: Annotated lesion, bool HW, or None.
        roi: The box that was classified.
        region: uint8 hw: the input of the classifier, at its input size.
        activation: float32 HW: class-activation map of the predicted class, or None.
    """

    case: Case
    image: Image
    enhanced: Image
    mask: Mask | None
    annotated_mask: Mask | None
    roi: Roi
    region: Image
    activation: NDArray[np.float32] | None
