"""The threshold of a mask, chosen on validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from busight.assess.overlap import dice
from busight.data.dataset import Reader
from busight.predict.predictor import Predictor
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.types import Mask, Sample

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def choose_postprocess(predictor: Predictor, samples: Sequence[Sample], reader: Reader) -> PostprocessSettings:
    """Choose threshold and peak so that masks fit lesions and normal images stay clean.

    What is maximised is the mean over the images with a known mask: Dice where a lesion is drawn, else 1 for an image
    left unmarked and 0 for a marked one. Among equals the pair nearest to what was given is taken.

    Args:
        predictor: Its card has a segmentation.
        samples: Validation images; those without a known mask do not count.
        reader: Reads them.

    Returns:
        The card's post-processing with the two numbers chosen; as it is where no image has a known mask.

    Raises:
        ValueError: The card has no segmentation.
    """
    if predictor.card.segment is None:
        raise ValueError("no segmentation whose threshold could be chosen")
    given = predictor.card.segment.postprocess
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
        probs = None if drawn is None else predictor.predict(reader.image(sample)).mask_probs
        if drawn is not None and probs is not None:
            scores.append([_score(to_mask(probs, way), drawn) for way in ways])
    # Rounded, so that the order of summation cannot decide between equals; argmax takes the first of them.
    return ways[int(np.mean(scores, axis=0).round(9).argmax())] if scores else given


def _score(mask: Mask, drawn: Mask) -> float:
    return dice(mask, drawn) if drawn.any() else float(not mask.any())
