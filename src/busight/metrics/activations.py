"""From logits to probabilities and back, with one rule for probabilities of 0 and 1.

SciPy has the same (`scipy.special.softmax`, `expit`, `logit`), but is not in the base install.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from busight.types import FloatArray

PROB_MARGIN = 1e-7
"""Probabilities are clipped this far from 0 and 1 before a logarithm: the resolution of the networks' float32."""


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the logarithm of `softmax`, float64 (..., K)."""
    shifted = np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def softmax(logits: FloatArray) -> FloatArray:
    """Turn logits into probabilities.

    Args:
        logits: float64 (..., K), any finite size: the highest is subtracted first, so nothing overflows.

    Returns:
        float64 (..., K), the last axis sums to 1.

    Example:
        >>> softmax(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    return np.exp(log_softmax(logits))


def expit(logit: ArrayLike) -> Any:
    """Return the logistic function 1 / (1 + exp(-x)), float64 of the same shape, for any finite x.

    Example:
        >>> expit(np.array([-1000.0, 0.0, 1000.0])).round(12).tolist()
        [0.0, 0.5, 1.0]
    """
    return np.exp(-np.logaddexp(0.0, -np.asarray(logit, np.float64)))


def clip_probs(probs: ArrayLike) -> Any:
    """Return probabilities within `PROB_MARGIN` and 1 − `PROB_MARGIN`, float64 of the same shape."""
    return np.clip(np.asarray(probs, np.float64), PROB_MARGIN, 1 - PROB_MARGIN)


def logit(probs: ArrayLike) -> Any:
    """Return the log-odds log(p / (1 − p)) of clipped probabilities, float64 of the same shape.

    Example:
        >>> logit(np.array([0.0, 0.5, 1.0])).round(1).tolist()
        [-16.1, 0.0, 16.1]
    """
    inside = clip_probs(probs)
    return np.log(inside / (1 - inside))
