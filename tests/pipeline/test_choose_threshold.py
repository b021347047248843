from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.bundle.card import Card
from busight.data.sources import load
from busight.pipeline.choose_threshold import choose_postprocess
from busight.segment.postprocess import PostprocessSettings


@dataclass
class Part:
    postprocess: PostprocessSettings


@dataclass
class FakeCard:
    segment: Part | None


@dataclass
class Found:
    mask_probs: np.ndarray


class FakePredictor:
    """Gives lesions 0.35 with a core of 0.65, and half-sure shadows on every image."""

    card: Card

    def __init__(self, spec: str) -> None:
        self.card = FakeCard(Part(PostprocessSettings(components=3)))  # type: ignore[assignment]
        data = load(spec)
        self.masks = {data.reader.image(one).tobytes(): data.reader.mask(one) for one in data.samples}

    def predict(self, image: np.ndarray) -> Found:
        mask = self.masks[image.tobytes()]
        probs = np.full(image.shape, 0.05, np.float32)
        probs[2:14, 2:30] = 0.55  # no lesion, but above a half
        if mask is not None and mask.any():
            probs[mask] = 0.35
            rows, columns = np.nonzero(mask)
            probs[rows[len(rows) // 2], columns[len(rows) // 2]] = 0.65
        return Found(probs)


def test_threshold_and_peak_are_those_that_fit_lesions_and_leave_normals_clean() -> None:
    spec = "phantom:12,size=64"
    data = load(spec)
    predictor = FakePredictor(spec)
    chosen = choose_postprocess(predictor, data.samples, data.reader)  # type: ignore[arg-type]
    # 0.3 is the only threshold that sees the lesions whole and not all of the picture; a peak of 0.6 drops the shadows.
    assert (chosen.threshold, chosen.peak, chosen.components) == (0.3, 0.6, 3)


def test_without_known_masks_nothing_changes() -> None:
    predictor = FakePredictor("phantom:3,size=64")
    given = predictor.card.segment.postprocess  # type: ignore[union-attr]
    assert choose_postprocess(predictor, [], load("phantom:3,size=64").reader) == given  # type: ignore[arg-type]
