"""Tuning of the post-processing of masks on validation images: threshold and peak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import ImageReader
from busight.errors import InferenceError
from busight.io.cores import in_threads
from busight.model.model import BATCH, Model
from busight.preprocess.pipeline import Preprocess
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.strategies.segmenters import MaskSource
from busight.types import Image, Mask, Roi, Sample

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


MaskProbs = Callable[[Sequence[Image]], list[tuple[NDArray[np.float32], Roi]]]
"""From images to the lesion probabilities of each, float32 hw in 0–1, and the crop box that they are of."""


def segmenter_probs(preprocess: Preprocess, segmenter: MaskSource) -> MaskProbs:
    """Return the function from images to a segmenter's probabilities, before there is a model."""

    def probs(images: Sequence[Image]) -> list[tuple[NDArray[np.float32], Roi]]:
        """Preprocess and segment images."""
        prepared = [preprocess(image) for image in images]
        found = segmenter.probs([image.channels for image in prepared])
        return [(values, image.crop_box) for values, image in zip(found, prepared, strict=True)]

    return probs


def decoder_probs(model: Model) -> MaskProbs:
    """Return the function from images to the probabilities of a model's own mask decoder, by its first view alone.

    The function raises InferenceError where the network's output is no answer.
    """

    def probs(images: Sequence[Image]) -> list[tuple[NDArray[np.float32], Roi]]:
        """Preprocess images and run the first view of each."""
        prepared = [model.preprocess(image) for image in images]
        raws = model.strategy.first_outputs(prepared, model.stages)
        found = []
        for image, raw in zip(prepared, raws, strict=True):
            if raw.fault is not None or raw.mask_probs is None:
                fault = raw.fault or "mask is missing"
                raise InferenceError(f"{model.folder}: on a validation image the network's {fault}; train anew")
            found.append((raw.mask_probs, image.crop_box))
        return found

    return probs


def tune_postprocess(
    mask_probs: MaskProbs, samples: Sequence[Sample], reader: ImageReader, given: PostprocessSettings
) -> PostprocessSettings:
    """Choose the threshold and peak that maximise the mean score of masks on validation images.

    The score is over the images with a known mask: Dice where a lesion is annotated, else 1 for an empty and 0 for a
    non-empty predicted mask. Among equals the pair nearest to the given one is taken.

    Args:
        mask_probs: Returns the probabilities of images.
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

    def score(drawn: Mask, probs: NDArray[np.float32], crop_box: Roi) -> list[float]:
        """Return the score of each pair on one image."""
        # A lesion outside the crop box counts as missed, for every pair.
        outside = int(drawn.sum()) - int(crop_box.cut(drawn).sum())
        return [_score(to_mask(probs, way), crop_box.cut(drawn), outside) for way in ways]

    def scores_of(batch: Sequence[Sample]) -> list[list[float]]:
        """Return the scores of each image of a batch whose mask is known."""
        known = [(sample, mask) for sample in batch if (mask := reader.mask(sample)) is not None]
        found = mask_probs([reader.image(sample) for sample, _ in known]) if known else []
        return [score(drawn, *probs) for (_, drawn), probs in zip(known, found, strict=True)]

    batches = [samples[start : start + BATCH] for start in range(0, len(samples), BATCH)]
    scores = [of_image for of_batch in in_threads(scores_of, batches) for of_image in of_batch]
    # Rounded, so that the order of summation cannot decide between equals; argmax takes the first of them.
    return ways[int(np.mean(scores, axis=0).round(9).argmax())] if scores else given


def _score(mask: Mask, drawn: Mask, outside: int) -> float:
    if not drawn.any() and not outside:
        return float(not mask.any())
    return 2 * float((mask & drawn).sum()) / float(mask.sum() + drawn.sum() + outside)
