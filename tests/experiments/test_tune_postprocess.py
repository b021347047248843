from __future__ import annotations

from collections.abc import Callable

import numpy as np

from busight.data.sources.catalogue import load_data
from busight.experiments.tune_postprocess import MaskProbs, tune_postprocess
from busight.segment.postprocess import PostprocessSettings
from busight.types import Image, Roi

GIVEN = PostprocessSettings(components=3)


def in_batches(mask_probs: Callable[[Image], tuple[np.ndarray, Roi]]) -> MaskProbs:
    return lambda images: [mask_probs(image) for image in images]


def probs_of(spec: str) -> Callable[[Image], tuple[np.ndarray, Roi]]:
    """Lesions at 0.35 with a core of 0.65, and half-sure shadows on every image."""
    data = load_data(spec)
    masks = {data.reader.image(one).tobytes(): data.reader.mask(one) for one in data.samples}

    def mask_probs(image: Image) -> tuple[np.ndarray, Roi]:
        mask = masks[image.tobytes()]
        probs = np.full(image.shape, 0.05, np.float32)
        probs[2:14, 2:30] = 0.55  # no lesion, but above a half
        if mask is not None and mask.any():
            probs[mask] = 0.35
            rows, columns = np.nonzero(mask)
            probs[rows[len(rows) // 2], columns[len(rows) // 2]] = 0.65
        return probs, Roi(0, 0, *image.shape)

    return mask_probs


def test_threshold_and_peak_are_those_that_fit_lesions_and_leave_normals_clean() -> None:
    spec = "phantom:12,size=64"
    data = load_data(spec)
    chosen = tune_postprocess(in_batches(probs_of(spec)), data.samples, data.reader, GIVEN)
    # 0.3 is the only threshold that sees the lesions whole and not all of the picture; a peak of 0.6 drops the shadows.
    assert (chosen.threshold, chosen.peak, chosen.components) == (0.3, 0.6, 3)


def test_without_known_masks_nothing_changes() -> None:
    data = load_data("phantom:3,size=64")
    assert tune_postprocess(in_batches(probs_of("phantom:3,size=64")), [], data.reader, GIVEN) == GIVEN


def test_what_lies_outside_the_crop_box_counts_as_missed() -> None:
    data = load_data("phantom:12,size=64")
    mask_probs = probs_of("phantom:12,size=64")

    def narrow(image: Image) -> tuple[np.ndarray, Roi]:
        probs, _ = mask_probs(image)
        field = Roi(0, 0, image.shape[0], image.shape[1] // 2)
        return field.cut(probs), field

    chosen = tune_postprocess(in_batches(narrow), data.samples, data.reader, GIVEN)
    assert (chosen.threshold, chosen.peak) == (0.3, 0.6)
