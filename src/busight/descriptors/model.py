"""The descriptor model: malignant or benign from BI-RADS descriptors alone, by logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from busight.descriptors.lexicon import NOT_VISIBLE, descriptors_of
from busight.errors import DataError
from busight.metrics.activations import expit
from busight.types import FloatArray

MIN_LESIONS = 40
"""Fewer lesions than this do not determine two dozen weights, even with shrinkage."""

_NUMBERS = ("depth-to-width ratio", "circularity", "solidity", "Fourier descriptors 2 to 7", "area fraction")


@dataclass(frozen=True, slots=True)
class DescriptorModel:
    """Logistic regression on BI-RADS descriptors.

    Attributes:
        names: Names of the inputs: ``"term: word"``, and a few features. An input that is NaN (not visible) counts as
            the mean.
        mean: Mean of each input over the lesions that the model was fitted on.
        deviation: Standard deviation of each input over these lesions, above 0.
        weights: Change of the log-odds for one deviation of each input.
        offset: Log-odds of an average lesion.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    names: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    def __post_init__(self) -> None:
        """Raise for parameters of different lengths or out of range."""
        if len({len(self.names), len(self.mean), len(self.deviation), len(self.weights)}) > 1:
            raise ValueError("a descriptor model has a mean, a deviation and a weight for each name")
        if min(self.deviation, default=1) <= 0:
            raise ValueError("a descriptor model's deviations are above 0")

    def probs(self, inputs: FloatArray) -> FloatArray:
        """Return the probability of malignancy, float64 (N,), of inputs, float64 (N, D)."""
        return np.asarray(expit(self._away(inputs) @ np.array(self.weights) + self.offset))

    def contributions(self, inputs: dict[str, float]) -> tuple[tuple[str, float], ...]:
        """Return (descriptor, change of the log-odds) of one lesion, the largest first.

        The probabilities of a term's words are correlated: the term contributes once, under its most probable word.
        """
        away = self._away(np.array([[inputs[name] for name in self.names]]))[0]
        changes: dict[str, float] = {}
        words: dict[str, tuple[float, str]] = {}
        for name, change in zip(self.names, map(float, away * np.array(self.weights)), strict=True):
            term, colon, word = name.partition(": ")
            changes[term] = changes.get(term, 0.0) + change
            if colon:
                words[term] = max(words.get(term, (-1.0, NOT_VISIBLE)), (inputs[name], word))
        named = ((f"{term}: {words[term][1]}" if term in words else term, change) for term, change in changes.items())
        return tuple(sorted(named, key=lambda item: -abs(item[1])))

    def _away(self, inputs: FloatArray) -> FloatArray:
        return _deviations(inputs, np.array(self.mean), np.array(self.deviation))


def _deviations(inputs: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the standardised inputs; 0 where an input is NaN (not visible)."""
    away = (inputs - mean) / deviation
    return np.where(np.isnan(away), 0.0, away)


def average(models: Sequence[DescriptorModel]) -> DescriptorModel:
    """Return the model whose log-odds are the mean of several models' log-odds.

    Args:
        models: One or more, with the same inputs.

    Raises:
        DataError: Their inputs differ.
    """
    first = models[0]
    if any(model.names != first.names for model in models):
        raise DataError("the descriptor models have other inputs; they cannot be averaged")
    # On raw inputs each model is linear, and so is their mean.
    slopes = np.array([np.array(model.weights) / np.array(model.deviation) for model in models])
    offsets = [model.offset - float(slope @ np.array(model.mean)) for model, slope in zip(models, slopes, strict=True)]
    mean, deviation = np.array(first.mean), np.array(first.deviation)
    slope = slopes.mean(axis=0)
    weights = slope * deviation
    return DescriptorModel(
        first.names, first.mean, first.deviation, tuple(map(float, weights)), float(np.mean(offsets) + slope @ mean)
    )


def descriptor_inputs(numbers: dict[str, float]) -> dict[str, float]:
    """Return the model's inputs: the probability of each word (NaN: not visible) and five features."""
    words = {
        f"{descriptor.term}: {word}": prob for descriptor in descriptors_of(numbers) for word, prob in descriptor.probs
    }
    return words | {name: numbers[name] for name in _NUMBERS}


def fit_descriptor_model(names: Sequence[str], inputs: FloatArray, malignant: NDArray[np.bool_]) -> DescriptorModel:
    """Fit the model on lesions of a training subset; weights are shrunk, since the words of a term are correlated.

    Args:
        names: D names.
        inputs: float64 (N, D); NaN where an input is not visible.
        malignant: bool (N,).

    Raises:
        DataError: Fewer than 40 lesions, or of one kind only, or an input that is NaN for every lesion.
    """
    from sklearn.linear_model import LogisticRegression

    if len(inputs) < MIN_LESIONS or malignant.all() or not malignant.any():
        raise DataError(
            f"{len(inputs)} lesions, {int(malignant.sum())} of them malignant: at least {MIN_LESIONS}, of both kinds"
        )
    if np.isnan(inputs).all(axis=0).any():
        raise DataError("a word is visible on none of the lesions")
    mean, deviation = np.nanmean(inputs, axis=0), np.maximum(np.nanstd(inputs, axis=0), 1e-9)
    fitted = LogisticRegression(C=0.1, max_iter=2000).fit(_deviations(inputs, mean, deviation), malignant)
    return DescriptorModel(
        tuple(names),
        tuple(map(float, mean)),
        tuple(map(float, deviation)),
        tuple(map(float, fitted.coef_[0])),
        float(fitted.intercept_[0]),
    )
