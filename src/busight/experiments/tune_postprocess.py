"""Tuning of the post-processing of masks on validation images: threshold and peak."""

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
    """Return the function from an image to a segmenter's probabilities, before there is a model."""

    def probs(image: Image) -> tuple[NDArray[np.float32], Roi]:
        """Preprocess and segment an image."""
        prepared = preprocess(image)
        return segmenter.probs([prepared.channels])[0], prepared.crop_box

    return probs


def tune_postprocess(
    mask_probs: MaskProbs, samples: Sequence[Sample], reader: ImageReader, given: PostprocessSettings
) -> PostprocessSettings:
    """Choose the threshold and peak that maximise the mean score of masks on validation images.

    The score is over the images with a known mask: Dice where a lesion is annotated, else 1 for an empty and 0 for a
    non-empty predicted mask. Among equals the pair nearest to the given one is taken.

    Args:
        mask_probs: Returns the probabilities of an image.
        samples: Validation images; those without a known mask do not count.
        reader: The reader of their images and masks.
        given: The given settings.

    Returns:
        The post-processing with tuned threshold and peak; as given where no image has a known mask.
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
            # A lesion outside the crop box counts as missed, for every pair.
            outside = int(drawn.sum()) - int(crop_box.cut(drawn).sum())
            scores.append([_score(to_mask(probs, way), crop_box.cut(drawn), outside) for way in ways])
    # Rounded, so that the order of summation cannot decide between equals; argmax takes the first of them.
    return ways[int(np.mean(scores, axis=0).round(9).argmax())] if scores else given


def _score(mask: Mask, drawn: Mask, outside: int) -> float:
    if not drawn.any() and not outside:
        return float(not mask.any())
    return 2 * float((mask & drawn).sum()) / float(mask.sum() + drawn.sum() + outside)
