"""Warnings of a prediction."""

from __future__ import annotations

from busight.audit.overlays import OVERLAY, stroke_pixels
from busight.data.labels import LabelSchema
from busight.decision.decision import Decision
from busight.model.bundle.feature_bank import FeatureBank
from busight.types import Prediction

SMALL_LESION = 0.03
"""Share of the image below which lesions are misclassified more often (docs/log/2026-11-results.md, subgroups)."""


def warnings_of(
    prediction: Prediction,
    labels: LabelSchema,
    decision: Decision,
    bank: FeatureBank | None,
    *,
    is_known: bool = False,
) -> tuple[str, ...]:
    """Return the warnings, each a few words.

    Args:
        prediction: The prediction, with features where the graph gives them.
        labels: The model's classes.
        decision: The model's decision.
        bank: Features of the training images; None without them.
        is_known: Whether the image is one that the model was trained or tuned on.
    """
    texts = [
        "the model was trained or tuned on this image" if is_known else None,
        _uncalibrated(decision),
        _unfamiliar(prediction, decision, bank),
        _prediction_set(prediction, decision),
        _threshold(prediction),
        _mask(prediction, labels),
        _overlay(prediction),
        _descriptors(prediction, labels, decision),
    ]
    return tuple(text for text in texts if text)


def _uncalibrated(decision: Decision) -> str | None:
    calibration = decision.calibration
    return None if calibration.calibrated else f"its probabilities are not calibrated ({calibration.source})"


def _unfamiliar(prediction: Prediction, decision: Decision, bank: FeatureBank | None) -> str | None:
    if prediction.features is None or bank is None or decision.ood is None:
        return None
    unfamiliar = decision.ood.is_unfamiliar(prediction.features, bank.directions)
    return "its features are unlike those of the training images" if unfamiliar else None


def _prediction_set(prediction: Prediction, decision: Decision) -> str | None:
    if prediction.prediction_set is None or decision.conformal is None or len(prediction.prediction_set) == 1:
        return None
    level = f"{100 * decision.conformal.level:g}%"
    if not prediction.prediction_set:
        return f"no class fits at {level} coverage"
    return f"at {level} coverage it may be {' or '.join(prediction.prediction_set)}"


def _overlay(prediction: Prediction) -> str | None:
    is_grey = prediction.image.ndim == 2
    return "text or calipers are burned in" if is_grey and stroke_pixels(prediction.image) >= OVERLAY else None


def _threshold(prediction: Prediction) -> str | None:
    positive = prediction.positive
    if prediction.above_threshold and prediction.label != positive:
        return f"{prediction.label} is more probable, yet {positive} reaches the threshold"
    if prediction.above_threshold is False and prediction.label == positive:
        return f"{positive} is most probable, yet below the threshold"
    return None


def _descriptors(prediction: Prediction, labels: LabelSchema, decision: Decision) -> str | None:
    """Return the warning that the descriptor model, without weight in the fusion, disagrees on the lesion class."""
    evidence, pair = prediction.descriptors, labels.lesion_pair
    if evidence is None or pair is None or decision.fusion is None or decision.fusion.weight:
        return None
    if prediction.label in labels.without_lesion:
        return None  # the descriptors grade lesions and know no normal image
    negative, positive = pair
    if (evidence.prob_positive >= 0.5) == (prediction.logits[positive] >= prediction.logits[negative]):
        return None
    other = labels.names[positive if evidence.prob_positive >= 0.5 else negative]
    prob = max(evidence.prob_positive, 1 - evidence.prob_positive)
    return f"its BI-RADS descriptors alone speak for {other} ({prob:.2f})"


def _mask(prediction: Prediction, labels: LabelSchema) -> str | None:
    if prediction.mask is None:
        return None
    without = prediction.label in labels.without_lesion
    if not prediction.mask.any():
        agrees = without or labels.is_mixed(prediction.label)
        return None if agrees else f"called {prediction.label}, but no lesion was outlined"
    if without:
        return f"called {prediction.label}, but a lesion was outlined"
    return "small lesion" if prediction.mask.mean() < SMALL_LESION else None
