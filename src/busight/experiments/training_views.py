"""The views of images that a network is trained on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from busight.preprocess.pipeline import PreparedImage
from busight.segment.roi import bounding_box, region_of_interest
from busight.strategies.strategy import Stages, Strategy
from busight.strategies.views import View
from busight.types import Mask, Roi

ChooseView = Callable[[PreparedImage, Mask | None], View]
"""From a prepared image and, in training, its annotated mask in the crop box, to the view of a network."""


def whole_view(image: PreparedImage, annotated: Mask | None = None) -> View:
    """Return the view of the whole image."""
    return View(image.channels, image.box)


def first_view(strategy: Strategy, stages: Stages) -> ChooseView:
    """Return the first view of prediction: by predicted masks, never by annotated ones."""

    def choose(image: PreparedImage, annotated: Mask | None = None) -> View:
        return strategy.first_views([image], stages)[0].view

    return choose


def training_view(margin: float, rng: np.random.Generator) -> ChooseView:
    """Return the random local views for training, drawn once for each image.

    Around an annotated lesion: the margin is between half and twice the recipe's and the box is off its centre by up to
    a tenth, since prediction uses a predicted box. Where the annotated mask is empty: a square anywhere, with 0.3 to
    0.8 of the shorter side. The network needs local views of normal tissue too: predicted masks are sometimes false
    positives. Without an annotated mask: the whole image, since the place of a lesion is unknown.

    Args:
        margin: The margin of `RoiSettings`.
        rng: Source of the draws.
    """

    def choose(image: PreparedImage, annotated: Mask | None = None) -> View:
        if annotated is None:
            return whole_view(image)
        roi = _around(annotated, margin, rng) if annotated.any() else _anywhere(image, rng)
        return View(image.channels, roi)

    return choose


def _around(annotated: Mask, margin: float, rng: np.random.Generator) -> Roi:
    height, width = annotated.shape
    box = region_of_interest(annotated, margin * float(rng.uniform(0.5, 2)))
    down, right = (float(shift) for shift in rng.uniform(-0.1, 0.1, 2))
    top = min(max(box.top + round(down * box.height), 0), height - box.height)
    left = min(max(box.left + round(right * box.width), 0), width - box.width)
    return Roi(top, left, top + box.height, left + box.width)


def _anywhere(image: PreparedImage, rng: np.random.Generator) -> Roi:
    height, width = image.box.height, image.box.width
    side = max(1, round(float(rng.uniform(0.3, 0.8)) * min(height, width)))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return Roi(top, left, top + side, left + side)


CROP_SIDES = (0.3, 0.6)
"""Shares of an image's sides that a lesion-free crop has."""

_TRIES = 20
_FLAT = 8.0
"""Deviation of grey below which a crop shows a margin of the image rather than tissue."""


def lesion_free_crop(rng: np.random.Generator) -> ChooseView:
    """Return random crops beside the lesion; the whole image where there is no place, or no annotated mask.

    Args:
        rng: Source of the draws.
    """

    def choose(image: PreparedImage, annotated: Mask | None = None) -> View:
        if annotated is None:
            return whole_view(image)
        for _ in range(_TRIES):
            roi = _box(image, rng, *CROP_SIDES)
            if not roi.cut(annotated).any() and float(roi.cut(image.channels).std()) > _FLAT:
                return View(image.channels, roi)
        return whole_view(image)

    return choose


def lesion_crop(rng: np.random.Generator) -> ChooseView:
    """Return random crops that hold the whole lesion; of an image without one large crops anywhere.

    Args:
        rng: Source of the draws.
    """

    def choose(image: PreparedImage, annotated: Mask | None = None) -> View:
        if annotated is None:
            return whole_view(image)
        box = bounding_box(annotated)
        if box is None:
            return View(image.channels, _box(image, rng, CROP_SIDES[1], 1.0))
        top, bottom = _around_span(box.top, box.bottom, image.box.height, rng)
        left, right = _around_span(box.left, box.right, image.box.width, rng)
        return View(image.channels, Roi(top, left, bottom, right))

    return choose


def _box(image: PreparedImage, rng: np.random.Generator, low: float, high: float) -> Roi:
    """Return a random box with these shares of the image's sides."""
    height, width = (
        max(1, round(float(share) * side))
        for share, side in zip(rng.uniform(low, high, 2), (image.box.height, image.box.width), strict=True)
    )
    top = int(rng.integers(image.box.height - height + 1))
    left = int(rng.integers(image.box.width - width + 1))
    return Roi(top, left, top + height, left + width)


def _around_span(start: int, stop: int, side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return a random span that holds another and a fifth of it more, as far as the side goes."""
    least = min(side, round(1.2 * (stop - start)) + 1)
    length = int(rng.integers(least, side + 1))
    first = int(rng.integers(max(0, stop - length), min(start, side - length) + 1))
    return first, first + length
