"""BI-RADS descriptors of a lesion, and the features behind each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from busight.descriptors.echo import echo_features
from busight.descriptors.lesion_view import largest_region, lesion_view
from busight.descriptors.margin import margin_features
from busight.descriptors.posterior import posterior_features
from busight.descriptors.shape import shape_features
from busight.io.digests import sha256_of_json
from busight.metrics.activations import softmax
from busight.types import FloatArray, Image, Mask

NOT_VISIBLE = "not visible"
"""In place of a word where the described region is not in the image."""

TERMS = ("shape", "orientation", "margin", "echo_pattern", "posterior")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One descriptor of a lesion.

    Attributes:
        term: One of `TERMS`.
        word: The likeliest word of the lexicon, or `NOT_VISIBLE`.
        probs: (word, probability) of every word of the term; they sum to 1, or all are NaN.
    """

    term: str
    word: str
    probs: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a lesion: descriptors, features and size.

    Attributes:
        descriptors: One for each of `TERMS`.
        features: (name, value) of each feature; pixels are those of the image at 256 rows.
        width_px: Width of the lesion's box, in pixels of the image.
        depth_px: Depth of the lesion's box, in pixels of the image.
        width_mm: Width in mm where the pixel spacing is known, else None.
        depth_mm: Depth in mm where the pixel spacing is known, else None.
    """

    descriptors: tuple[Descriptor, ...]
    features: tuple[tuple[str, float], ...]
    width_px: float
    depth_px: float
    width_mm: float | None
    depth_mm: float | None

    def word(self, term: str) -> str:
        """Return the word of a term."""
        return next(descriptor.word for descriptor in self.descriptors if descriptor.term == term)

    def sentence(self) -> str:
        """Return the description in one line.

        Example:
            >>> words = (Descriptor("shape", "oval", ()), Descriptor("margin", "angular", ()))
            >>> Description(words, (), 9, 6, None, None).sentence()
            'shape oval, margin angular; 9 × 6 pixels (width × depth)'
        """
        words = ", ".join(f"{descriptor.term.replace('_', ' ')} {descriptor.word}" for descriptor in self.descriptors)
        size = f"{self.width_px:.0f} × {self.depth_px:.0f} pixels"
        if self.width_mm is not None and self.depth_mm is not None:
            size = f"{self.width_mm:.1f} × {self.depth_mm:.1f} mm"
        return f"{words}; {size} (width × depth)"


def lesion_features(image: Image, mask: Mask) -> dict[str, float]:
    """Compute the features of a lesion, from which descriptors and the descriptor model's inputs are derived.

    Args:
        image: uint8 HW.
        mask: bool HW; its largest region counts, holes filled.

    Returns:
        Name → value. Posterior features are NaN where nothing behind the lesion is in the image; all others are finite.

    Raises:
        DataError: The mask is empty, too small, or touches the border.
    """
    view = lesion_view(image, mask)
    return {**shape_features(view), **margin_features(view), **echo_features(view), **posterior_features(view)}


def describe(image: Image, mask: Mask, pixel_spacing_mm: tuple[float, float] | None = None) -> Description:
    """Describe a lesion in BI-RADS words.

    The words come from one logistic model per term on the features, fitted on phantoms whose words are known
    (`benchmarks/descriptors.py` evaluates and refits them). On patients' images they are suggestions.

    Args:
        image: uint8 HW.
        mask: bool HW, of the lesion.
        pixel_spacing_mm: Row and column spacing where known.

    Raises:
        DataError: The mask is empty, too small, or touches the border: descriptors are then undefined.

    Source: ACR BI-RADS Atlas, Ultrasound, 5th edition (2013): shape, orientation, margin, echo pattern, posterior
        features.
    """
    numbers = lesion_features(image, mask)
    lesion = largest_region(mask)
    depth, width = (float(lesion.any(axis=axis).sum()) for axis in (1, 0))
    row_mm, column_mm = pixel_spacing_mm if pixel_spacing_mm is not None else (None, None)
    return Description(
        descriptors=descriptors_of(numbers),
        features=tuple(numbers.items()),
        width_px=width,
        depth_px=depth,
        width_mm=None if column_mm is None else width * column_mm,
        depth_mm=None if row_mm is None else depth * row_mm,
    )


def descriptors_of(numbers: dict[str, float]) -> tuple[Descriptor, ...]:
    """Return the most probable words for a lesion's features; `NOT_VISIBLE` for a term of which a feature is NaN."""
    model = _model()
    descriptors = []
    for term in TERMS:
        term_model = model[term]
        given = np.array([numbers[name] for name in term_model.names])
        if np.isnan(given).any():
            descriptors.append(Descriptor(term, NOT_VISIBLE, tuple((word, float("nan")) for word in term_model.words)))
            continue
        away = (np.clip(given, term_model.low, term_model.high) - term_model.mean) / term_model.deviation
        scores = term_model.weights @ away + term_model.offset
        probs = softmax(scores)
        listed = tuple(zip(term_model.words, map(float, probs), strict=True))
        descriptors.append(Descriptor(term, term_model.words[int(np.argmax(probs))], listed))
    return tuple(descriptors)


@dataclass(frozen=True, slots=True, eq=False)
class _TermModel:
    """A term's logistic model. Features are clipped to their range over the phantoms."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    deviation: FloatArray
    weights: FloatArray
    offset: FloatArray


def lexicon_digest() -> str:
    """Return the SHA-256 of the lexicon model."""
    return sha256_of_json(_document())


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        files("busight.descriptors").joinpath("lexicon_model.json").read_text(encoding="utf-8")
    )
    return document


@cache
def _model() -> dict[str, _TermModel]:
    document = _document()
    arrays = ("low", "high", "mean", "deviation", "weights", "offset")
    return {
        term: _TermModel(
            tuple(part["words"]), tuple(part["names"]), **{name: np.array(part[name], np.float64) for name in arrays}
        )
        for term, part in document["terms"].items()
    }
