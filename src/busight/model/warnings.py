"""Reasons not to answer, and reasons for caution where there is an answer."""

from __future__ import annotations

import numpy as np

from busight.audit.overlays import marks_of
from busight.data.labels import grades_lesions
from busight.decision.image_statistics import image_statistics
from busight.decision.ood import feature_distance
from busight.model.bundle.card import Card, GatePart
from busight.model.bundle.feature_bank import Memory
from busight.types import Image, Prediction

SMALL_LESION = 0.03
"""Share of the image below which lesions are called wrong more often (docs/log/2026-11-results.md, subgroups)."""

_WITHOUT_LESION = ("normal", "no lesion")


def refusal(image: Image, gate: GatePart | None) -> str | None:
    """Say why an image, uint8 HW as read, is not one to be answered; None where it is.

    The statement is about looks alone: a photograph, an X-ray or a page of text differs from all that the bundle knows,
    but so may another device's ultrasound.
    """
    if gate is None or gate.image is None:
        return None
    distance = float(gate.image.distance(image_statistics(image)[None])[0])
    if not distance > gate.image.limit:
        return None
    return f"unlike the images that this bundle learned from ({distance / gate.image.limit:.1f} times the limit)"


def cautions(found: Prediction, card: Card, memory: Memory | None) -> tuple[str, ...]:
    """Return what a reader of a prediction should know before trusting it, each a few words.

    Args:
        found: The prediction, with its features where the graph gives them.
        card: The bundle's.
        memory: The bundle's; None without one.
    """
    told = [_uncalibrated(card), _unknown_features(found, card.gate, memory), _set_words(found, card)]
    told += [_flag_words(found)]
    told += [_mask_words(found), "text or calipers are burned in" if marks_of(found.image).overlay else None]
    return tuple(word for word in (*told, _reader_words(found)) if word)


def _uncalibrated(card: Card) -> str | None:
    part = card.calibration
    return None if part.calibrated else f"its probabilities are not calibrated ({part.source})"


def _unknown_features(found: Prediction, gate: GatePart | None, memory: Memory | None) -> str | None:
    if found.features is None or memory is None or gate is None or gate.feature_limit is None:
        return None
    distance = float(feature_distance(found.features[None], memory.features, gate.neighbours)[0])
    return "the network sees in it what it hardly saw in training" if distance > gate.feature_limit else None


def _set_words(found: Prediction, card: Card) -> str | None:
    if found.prediction_set is None or card.conformal is None or len(found.prediction_set) == 1:
        return None
    level = f"{100 * card.conformal.level:g}%"
    if not found.prediction_set:
        return f"no finding fits at {level} coverage"
    return f"at {level} coverage it may be {' or '.join(found.prediction_set)}"


def _flag_words(found: Prediction) -> str | None:
    last = found.classes[-1]
    if found.flagged and found.finding != last:
        return f"{found.finding} is more probable, yet {last} reaches the operating point"
    if found.flagged is False and found.finding == last:
        return f"{last} is most probable, yet below the operating point"
    return None


def _reader_words(found: Prediction) -> str | None:
    """Say where the second reader, asked about malignancy alone, calls the lesion otherwise than the network did."""
    second, logits = found.second_reader, found.network_logits
    if second is None or logits is None or not grades_lesions(found.classes):
        return None
    benign, malignant = (float(logits[found.classes.index(name)]) for name in ("benign", "malignant"))
    if (second.malignant >= 0.5) == (malignant >= benign):
        return None
    other = "malignant" if second.malignant >= 0.5 else "benign"
    told = f"the second reader, by BI-RADS words, calls it {other} ({max(second.malignant, 1 - second.malignant):.2f})"
    alone = found.classes[int(np.argmax(logits))]
    return told if alone == found.finding else f"{told} and turned the answer, which was {alone} without it"


def _mask_words(found: Prediction) -> str | None:
    if found.mask is None:
        return None
    if not found.mask.any():
        agrees = found.finding in (*_WITHOUT_LESION, "not malignant")
        return None if agrees else f"called {found.finding}, but no lesion was outlined"
    if found.finding in _WITHOUT_LESION:
        return f"called {found.finding}, but a lesion was outlined"
    return "small lesion" if found.mask.mean() < SMALL_LESION else None
