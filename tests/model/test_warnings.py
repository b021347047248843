"""Each warning, and the cases in which it is not given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from busight.data.labels import BREAST
from busight.decision.calibration.temperature import Temperature
from busight.decision.conformal import ConformalSets
from busight.decision.decision import Calibration, Decision
from busight.decision.fusion import DescriptorFusion
from busight.decision.ood import OodDetector
from busight.metrics.activations import softmax
from busight.model.bundle.feature_bank import FeatureBank
from busight.model.warnings import warnings_of
from busight.types import DescriptorEvidence, ImageRef, Prediction, Roi

BINARY = BREAST.for_task("binary")
LESION = np.zeros((64, 64), dtype=bool)
LESION[10:40, 10:40] = True


def decision(**changed: Any) -> Decision:
    calibration = Calibration(calibrator=Temperature(1.0), cases=90, source="90 images")
    return Decision(**({"calibration": calibration} | changed))


def fusion(weight: float) -> DescriptorFusion:
    return DescriptorFusion(model=None, weight=weight, lexicon="", source="")


def prediction(logits: tuple[float, ...] = (0.0, 3.0, 0.0), **changed: Any) -> Prediction:
    """A benign lesion about which there is nothing to say."""
    found = np.array(logits)
    labels = BREAST if len(logits) == 3 else BINARY
    image = np.full((64, 64), 90, np.uint8)
    given: dict[str, Any] = {
        "ref": ImageRef("one.png"),
        "classes": labels.names,
        "positive": "malignant",
        "label": labels.names[int(found.argmax())],
        "logits": found,
        "network_logits": found,
        "raw_probs": softmax(found[None])[0],
        "calibrated_probs": softmax(found[None])[0],
        "image": image,
        "enhanced": image,
        "roi": Roi(0, 0, 64, 64),
        "mask": LESION,
        "above_threshold": False,
    }
    return Prediction(**(given | changed))


def said(found: Prediction, of: Decision | None = None, bank: FeatureBank | None = None) -> str:
    labels = BREAST if len(found.classes) == 3 else BINARY
    return "; ".join(warnings_of(found, labels, of or decision(), bank))


def evidence(prob: float) -> DescriptorEvidence:
    return DescriptorEvidence(prob, (), LESION, from_proposal=False)


def test_nothing_to_say() -> None:
    assert said(prediction(descriptors=evidence(0.2)), decision(fusion=fusion(0.0))) == ""


def test_uncalibrated_probabilities() -> None:
    part = Calibration(cases=3, calibrated=False, source="not calibrated: 3 validation cases")
    assert said(prediction(), decision(calibration=part)) == (
        "its probabilities are not calibrated (not calibrated: 3 validation cases)"
    )


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (("benign",), ""),
        (("benign", "malignant"), "at 90% coverage it may be benign or malignant"),
        ((), "no class fits at 90% coverage"),
    ],
)
def test_the_prediction_set(inside: tuple[str, ...], words: str) -> None:
    sets = ConformalSets(0.9, (0.1, 0.1, 0.1), (30, 30, 30))
    assert said(prediction(prediction_set=inside), decision(conformal=sets)) == words


def test_the_threshold_and_the_likeliest_class() -> None:
    assert said(prediction(above_threshold=True)) == "benign is more probable, yet malignant reaches the threshold"
    below = prediction((0.0, 0.0, 1.0), above_threshold=False)
    assert said(below) == "malignant is most probable, yet below the threshold"
    assert said(prediction((0.0, 0.0, 1.0), above_threshold=True)) == ""


def test_mask_and_class_at_odds() -> None:
    empty = np.zeros_like(LESION)
    assert said(prediction(mask=empty)) == "called benign, but no lesion was outlined"
    assert said(prediction((3.0, 0.0, 0.0), mask=empty)) == ""
    assert said(prediction((3.0, 0.0, 0.0))) == "called normal, but a lesion was outlined"
    small = empty.copy()
    small[:8, :8] = True
    assert said(prediction(mask=small)) == "small lesion"
    assert said(prediction((2.0, 0.0), mask=empty)) == ""
    assert said(prediction((0.0, 2.0), mask=empty, above_threshold=True)) == (
        "called malignant, but no lesion was outlined"
    )
    assert said(prediction((0.0, 2.0), mask=small, above_threshold=True)) == "small lesion"


def test_descriptors_that_moved_the_answer_do_not_warn_of_it() -> None:
    against = prediction(descriptors=evidence(0.9))
    assert said(against, decision(fusion=fusion(0.0))) == "its BI-RADS descriptors alone speak for malignant (0.90)"
    assert said(against, decision(fusion=fusion(0.5))) == ""


def test_features_unlike_those_of_training() -> None:
    bank = FeatureBank(np.eye(4, dtype=np.float32), tuple("abcd"), ("benign",) * 4)
    of = decision(ood=OodDetector(None, 0.5, 1, ""))
    alike, other = np.array([2, 0.1, 0, 0], np.float32), np.array([-1, -1, -1, -1], np.float32)
    assert said(prediction(features=alike), of, bank) == ""
    assert said(prediction(features=other), of, bank) == "its features are unlike those of the training images"
