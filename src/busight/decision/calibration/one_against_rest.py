"""Probabilities of each class against the rest, made to sum to 1."""

from __future__ import annotations

import numpy as np

from busight.types import FloatArray


def normalised(each: FloatArray, raw: FloatArray) -> FloatArray:
    """Return rows, (N, K), that sum to 1; where all of a row are 0 the raw probabilities stay."""
    total = each.sum(axis=1, keepdims=True)
    return np.where(total > 0, each / np.where(total > 0, total, 1), raw)
