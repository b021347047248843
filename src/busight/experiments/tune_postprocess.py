"""Threshold and peak of a mask, chosen on validation images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import Reader
from busight.preprocess.pipeline import Enhancement
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.strategies.segmenters import Segmenter
from busight.types import Image, Mask, Roi, Sample

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


Look = Callable[[Image], tuple[NDArray[np.float32], Roi]]
"""From an image to lesion probabilities, float32 hw in 0–1, and the field that they are of: what becomes the mask."""


def look_with(enhancement: Enhancement, segmenter: Segmenter) -> Look:
    """Return how a segmenter sees an image before there is a bundle."""

    def look(image: Image) -> tuple[NDArray[np.float32], Roi]:
        """Enhance the field and segment it."""
        field = enhancement.field(image)
        return segmenter.probs(enhancement.layers(enhancement.enhanced(field.cut(image)))), field

    return look


def choose_postprocess(
    look: Look, samples: Sequence[Sample], reader: Reader, given: PostprocessSettings
) -> PostprocessSettings:
    """Choose threshold and peak so that masks fit lesions and normal images stay clean.

    What is maximised is the mean over the images with a known mask: Dice where a lesion is drawn, else 1 for an image
    left unmarked and 0 for a marked one. Among equals the pair nearest to what was given is taken.

    Args:
        look: Gives the probabilities.
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
            probs, field = look(reader.image(sample))
            # A lesion outside the field counts as missed, whatever the way.
            outside = int(drawn.sum()) - int(field.cut(drawn).sum())
            scores.append([_score(to_mask(probs, way), field.cut(drawn), outside) for way in ways])
    # Rounded, so that the order of summation cannot decide between equals; argmax takes the first of them.
    return ways[int(np.mean(scores, axis=0).round(9).argmax())] if scores else given


def _score(mask: Mask, drawn: Mask, outside: int) -> float:
    if not drawn.any() and not outside:
        return float(not mask.any())
    return 2 * float((mask & drawn).sum()) / float(mask.sum() + drawn.sum() + outside)
