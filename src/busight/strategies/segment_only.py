"""Segment only: no classifier; the lesion class is derived from the mask probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from busight.metrics.activations import logit
from busight.preprocess.pipeline import PreparedImage
from busight.strategies.strategy import RawOutput, Stages, Strategy
from busight.types import FloatArray, FloatMap

LEVEL = 0.998
"""Single pixels reach any probability in noise; 0.2 % of them is the smallest region that post-processing keeps."""


class SegmentOnly(Strategy):
    """Segment the lesion and classify images by its presence."""

    name = "segment_only"
    segments_first = True

    def first_outputs(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the output for each image."""
        return [
            RawOutput(lesion_logits(probs), image.box, mask, probs)
            for image, (mask, probs) in zip(images, stages.segment(images), strict=True)
        ]

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"{segmenter[0].upper()}{segmenter[1:]}; no classifier."


def lesion_logits(probs: FloatMap) -> FloatArray:
    """Return the logits of "no lesion" and "lesion", float64 (2,), from lesion probabilities, float32 HW in 0–1.

    The lesion's probability is the one that 0.2 % of the pixels reach.
    """
    return np.array([0.0, logit(float(np.quantile(probs, LEVEL)))])
