"""BI-RADS descriptors of a mass, drawn with a realistic overlap of benign and malignant.

Shape, orientation, circumscribed and spiculated margins follow the counts on 262 benign and 141 malignant solid masses
of Hong et al., "BI-RADS for sonography: positive and negative predictive values of sonographic features", AJR 184
(2005) 1260–1265. The other probabilities are approximate, set by hand in the direction of that paper and of Stavros et
al., "Solid breast nodules: use of sonography to distinguish between benign and malignant lesions", Radiology 196 (1995)
123–134. Cysts and a few round masses are added. Real descriptors depend on each other given the diagnosis; here they do
so only where geometry or physics requires it. The words are those of ACR BI-RADS Ultrasound, 5th edition (2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from busight.simulate.labels import MALIGNANT, NORMAL

Shape = Literal["oval", "round", "irregular"]
Orientation = Literal["parallel", "not parallel"]
Margin = Literal["circumscribed", "indistinct", "angular", "microlobulated", "spiculated"]
EchoPattern = Literal["anechoic", "hyperechoic", "complex cystic and solid", "hypoechoic", "isoechoic", "heterogeneous"]
Posterior = Literal["no posterior features", "enhancement", "shadowing", "combined pattern"]
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True)
class Descriptors:
    """BI-RADS descriptors of a mass, as a radiologist would report them."""

    shape: Shape
    orientation: Orientation
    margin: Margin
    echo_pattern: EchoPattern
    posterior: Posterior


# Per word: probability given benign, given malignant. Each column sums to 1.
_SHAPE: dict[Shape, tuple[float, float]] = {"oval": (0.72, 0.24), "round": (0.06, 0.05), "irregular": (0.22, 0.71)}
# Of masses that are not round: a round mass has no long axis and counts as not parallel.
_ORIENTATION: dict[Orientation, tuple[float, float]] = {"parallel": (0.88, 0.49), "not parallel": (0.12, 0.51)}
_MARGIN: dict[Margin, tuple[float, float]] = {
    "circumscribed": (0.61, 0.13),
    "indistinct": (0.19, 0.36),
    "angular": (0.07, 0.17),
    "microlobulated": (0.12, 0.20),
    "spiculated": (0.01, 0.14),
}
_ECHO_PATTERN: dict[EchoPattern, tuple[float, float]] = {
    "anechoic": (0.14, 0.00),
    "hyperechoic": (0.05, 0.01),
    "complex cystic and solid": (0.06, 0.08),
    "hypoechoic": (0.51, 0.64),
    "isoechoic": (0.13, 0.05),
    "heterogeneous": (0.11, 0.22),
}
_POSTERIOR: dict[Posterior, tuple[float, float]] = {
    "no posterior features": (0.64, 0.42),
    "enhancement": (0.24, 0.18),
    "shadowing": (0.09, 0.32),
    "combined pattern": (0.03, 0.08),
}
_PRIOR_MALIGNANT = 0.27 / (0.27 + 0.56)


def draw_descriptors(rng: np.random.Generator, label: str) -> Descriptors:
    """Draw the descriptors of a mass given its label.

    Args:
        rng: Source of randomness.
        label: Benign or malignant.

    Returns:
        The descriptors. Anechoic masses are simple cysts: oval or round, circumscribed, and, because fluid hardly
        attenuates, always with enhancement.

    Raises:
        ValueError: The label is normal, which has no mass.
    """
    if label == NORMAL:
        raise ValueError("a normal picture has no mass to describe; ask for benign or malignant")
    column = 1 if label == MALIGNANT else 0
    echo_pattern = _draw(rng, _ECHO_PATTERN, column)
    shape = _draw(rng, _SHAPE, column)
    orientation = _draw(rng, _ORIENTATION, column)
    margin = _draw(rng, _MARGIN, column)
    posterior = _draw(rng, _POSTERIOR, column)
    if echo_pattern == "anechoic":
        shape = "oval" if shape == "irregular" else shape
        margin, posterior = "circumscribed", "enhancement"
    if shape == "round":
        orientation = "not parallel"
    return Descriptors(shape, orientation, margin, echo_pattern, posterior)


def draw_typical_descriptors(rng: np.random.Generator, label: str) -> Descriptors:
    """Draw the descriptors of a textbook mass: benign and malignant ones share no word.

    With such masses wrong labels are detectable, which the realistic overlap does not allow.

    Args:
        rng: Source of randomness.
        label: Benign or malignant.

    Raises:
        ValueError: The label is normal, which has no mass.
    """
    if label == NORMAL:
        raise ValueError("a normal picture has no mass to describe; ask for benign or malignant")
    if label == MALIGNANT:
        margin: Margin = ("spiculated", "angular")[int(rng.integers(2))]
        return Descriptors("irregular", "not parallel", margin, "hypoechoic", "shadowing")
    return Descriptors("oval", "parallel", "circumscribed", "anechoic", "enhancement")


def malignancy_log_odds(descriptors: Descriptors) -> float:
    """Return the naive-Bayes log odds of malignant against benign, those of an ideal reader of the descriptors.

    Example:
        >>> spiky = Descriptors("irregular", "not parallel", "spiculated", "hypoechoic", "shadowing")
        >>> cyst = Descriptors("oval", "parallel", "circumscribed", "anechoic", "enhancement")
        >>> malignancy_log_odds(spiky) > 3, malignancy_log_odds(cyst)
        (True, -inf)
    """
    if descriptors.echo_pattern == "anechoic":
        return -math.inf
    pairs = [
        _SHAPE[descriptors.shape],
        _MARGIN[descriptors.margin],
        _ECHO_PATTERN[descriptors.echo_pattern],
        _POSTERIOR[descriptors.posterior],
    ]
    if descriptors.shape != "round":
        pairs.append(_ORIENTATION[descriptors.orientation])
    odds = math.log(_PRIOR_MALIGNANT / (1 - _PRIOR_MALIGNANT))
    return odds + sum(math.log(malignant / benign) for benign, malignant in pairs)


def birads_category(descriptors: Descriptors | None) -> int:
    """Return the BI-RADS assessment category: 1 without a mass, 2 for a simple cyst, 3–5 by likelihood of cancer.

    Source: ACR BI-RADS 5th edition: category 3 up to 2 %, category 4 above 2 % and below 95 %, category 5 from 95 %.
    """
    if descriptors is None:
        return 1
    if descriptors.echo_pattern == "anechoic":
        return 2
    probability = 1 / (1 + math.exp(-malignancy_log_odds(descriptors)))
    if probability <= 0.02:
        return 3
    return 4 if probability < 0.95 else 5


def _draw(rng: np.random.Generator, table: dict[_Word, tuple[float, float]], column: int) -> _Word:
    weights = np.array([pair[column] for pair in table.values()])
    return list(table)[int(rng.choice(len(table), p=weights / weights.sum()))]
