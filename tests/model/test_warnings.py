"""Each reason for caution, and the cases in which it is not given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from busight.metrics.activations import softmax
from busight.model.bundle.card import (
    CalibrationPart,
    Card,
    ClassifyPart,
    ConformalPart,
    GatePart,
    InputPart,
    TrainingPart,
)
from busight.model.bundle.feature_bank import Memory
from busight.model.warnings import cautions, refusal
from busight.types import Prediction, Roi, SecondOpinion

CLASSES = ("normal", "benign", "malignant")
LESION = np.zeros((64, 64), dtype=bool)
LESION[10:40, 10:40] = True


def card(**changed: Any) -> Card:
    training = TrainingPart(
        source="busi", images=1, seen=(), data_digest="", split_kind="", split_digest="", weights="", recipe=""
    )
    size = InputPart(size=64, keep_aspect=False)
    given: dict[str, Any] = {
        "name": "b",
        "created": "",
        "busight": "",
        "enhance": "",
        "segment": None,
        "classify": ClassifyPart(task="finding", classes=CLASSES, lesion="whole", input=size, test_flip=False),
        "calibration": CalibrationPart(method="temperature", numbers=((1.0,),), cases=90, source="90 images"),
        "training": training,
        "parity": 0.0,
        "files": {},
    }
    return Card(**(given | changed))


def prediction(logits: tuple[float, ...] = (0.0, 3.0, 0.0), **changed: Any) -> Prediction:
    """A benign lesion about which there is nothing to say."""
    found = np.array(logits)
    classes = changed.pop("classes", CLASSES)
    image = np.full((64, 64), 90, np.uint8)
    given: dict[str, Any] = {
        "path": "one.png",
        "frame": 0,
        "classes": classes,
        "finding": classes[int(found.argmax())],
        "logits": found,
        "raw_probs": softmax(found[None])[0],
        "calibrated_probs": softmax(found[None])[0],
        "image": image,
        "enhanced": image,
        "roi": Roi(0, 0, 64, 64),
        "mask": LESION,
        "flagged": False,
        "network_logits": found,
    }
    return Prediction(**(given | changed))


def said(found: Prediction, of: Card | None = None, memory: Memory | None = None) -> str:
    return "; ".join(cautions(found, of or card(), memory))


def opinion(malignant: float) -> SecondOpinion:
    return SecondOpinion(malignant, (), LESION, assumed=False)


def test_nothing_to_say() -> None:
    assert said(prediction(second_reader=opinion(0.2))) == ""


def test_uncalibrated_probabilities() -> None:
    part = CalibrationPart(method="none", cases=3, calibrated=False, source="not calibrated: 3 validation cases")
    assert said(prediction(), card(calibration=part)) == (
        "its probabilities are not calibrated (not calibrated: 3 validation cases)"
    )


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (("benign",), ""),
        (("benign", "malignant"), "at 90% coverage it may be benign or malignant"),
        ((), "no finding fits at 90% coverage"),
    ],
)
def test_the_prediction_set(inside: tuple[str, ...], words: str) -> None:
    part = ConformalPart(level=0.9, least_probs=(0.1, 0.1, 0.1), cases=(30, 30, 30), source="")
    assert said(prediction(prediction_set=inside), card(conformal=part)) == words


def test_the_operating_point_and_the_likeliest_class() -> None:
    assert said(prediction(flagged=True)) == "benign is more probable, yet malignant reaches the operating point"
    below = prediction((0.0, 0.0, 1.0), flagged=False)
    assert said(below) == "malignant is most probable, yet below the operating point"
    assert said(prediction((0.0, 0.0, 1.0), flagged=True)) == ""


def test_mask_and_finding_at_odds() -> None:
    empty = np.zeros_like(LESION)
    assert said(prediction(mask=empty)) == "called benign, but no lesion was outlined"
    assert said(prediction((3.0, 0.0, 0.0), mask=empty)) == ""
    assert said(prediction((3.0, 0.0, 0.0))) == "called normal, but a lesion was outlined"
    small = empty.copy()
    small[:8, :8] = True
    assert said(prediction(mask=small)) == "small lesion"
    two = {"classes": ("not malignant", "malignant"), "mask": empty}
    assert said(prediction((2.0, 0.0), **two)) == ""
    assert said(prediction((0.0, 2.0), **two, flagged=True)) == "called malignant, but no lesion was outlined"
    assert said(prediction((0.0, 2.0), **(two | {"mask": small}), flagged=True)) == "small lesion"


def test_the_readers_disagree() -> None:
    words = "the second reader, by BI-RADS words, calls it malignant"
    assert said(prediction(second_reader=opinion(0.9))) == f"{words} (0.90)"
    alone = np.array([0.0, 1.2, 1.0])
    turned = prediction((0.0, 1.0, 1.2), network_logits=alone, second_reader=opinion(0.8), flagged=True)
    assert said(turned) == f"{words} (0.80) and turned the answer, which was benign without it"


def test_features_unlike_those_of_training() -> None:
    known = Memory(np.eye(4, dtype=np.float32), tuple("abcd"), ("benign",) * 4)
    gate = GatePart(image=None, feature_limit=0.5, neighbours=1, source="")
    alike, other = np.array([2, 0.1, 0, 0], np.float32), np.array([-1, -1, -1, -1], np.float32)
    assert said(prediction(features=alike), card(gate=gate), known) == ""
    assert said(prediction(features=other), card(gate=gate), known) == (
        "the network sees in it what it hardly saw in training"
    )
    # Without features, a limit or a memory nothing can be said.
    assert said(prediction(features=other), card(gate=gate), None) == ""


def test_no_gate_refuses_nothing() -> None:
    image = np.zeros((20, 20), np.uint8)
    assert refusal(image, None) is None
    assert refusal(image, GatePart(image=None, feature_limit=None, neighbours=5, source="")) is None
