"""Threshold and peak of a mask, chosen on validation images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import ImageReader
from busight.preprocess.pipeline import Preprocess
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.strategies.segmenters import MaskSource
from busight.types import Image, Mask, Roi, Sample

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


MaskProbs = Callable[[Image], tuple[NDArray[np.float32], Roi]]
"""From an image to lesion probabilities, float32 hw in 0–1, and the crop box that they are of."""


def segmenter_probs(preprocess: Preprocess, segmenter: MaskSource) -> MaskProbs:
    """Return the probabilities of a segmenter before there is a model."""

    def probs(image: Image) -> tuple[NDArray[np.float32], Roi]:
        """Preprocess and segment an image."""
        prepared = preprocess(image)
        return segmenter.probs([prepared.channels])[0], prepared.crop_box

    return probs


def tune_postprocess(
    mask_probs: MaskProbs, samples: Sequence[Sample], reader: ImageReader, given: PostprocessSettings
) -> PostprocessSettings:
    """Choose threshold and peak so that masks fit lesions and normal images stay clean.

    What is maximised is the mean over the images with a known mask: Dice where a lesion is drawn, else 1 for an image
    left unmarked and 0 for a marked one. Among equals the pair nearest to what was given is taken.

    Args:
        mask_probs: Gives the probabilities.
        samples: Validation images; those without a known mask do not count.
        reader: Reads them.
        given: The other settings.

    Returns:
        The post-processing with the two numbers chosen; as given where no image has a known mask.
    """
    ways = [
        replace(given, threshold=threshold, peak=peak)
        for threshold in THRESHOLDS
        for peak in PEAKS
        if peak == 0 or peak > threshold
    ]
    ways.sort(key=lambda way: abs(way.threshold - given.threshold) + abs(way.peak - given.peak))
    scores: list[list[float]] = []
    for sample in samples:
        drawn = reader.mask(sample)
        if drawn is not None:
            probs, crop_box = mask_probs(reader.image(sample))
            # A lesion outside the crop box counts as missed, whatever the way.
            outside = int(drawn.sum()) - int(crop_box.cut(drawn).sum())
            scores.append([_score(to_mask(probs, way), crop_box.cut(drawn), outside) for way in ways])
    # Rounded, so that the order of summation cannot decide between equals; argmax takes the first of them.
    return ways[int(np.mean(scores, axis=0).round(9).argmax())] if scores else given


def _score(mask: Mask, drawn: Mask, outside: int) -> float:
    if not drawn.any() and not outside:
        return float(not mask.any())
    return 2 * float((mask & drawn).sum()) / float(mask.sum() + drawn.sum() + outside)
