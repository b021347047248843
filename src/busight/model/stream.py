"""Predicting a stream of images in batches, in order, failures included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from busight.model.model import BATCH, PIXELS_AT_ONCE, Model
from busight.types import Failure, InputImage, Prediction, Rejected


def predict_stream(
    model: Model, images: Iterable[InputImage | Failure], batch: int = BATCH
) -> Iterator[Prediction | Rejected | Failure]:
    """Yield a prediction, rejection or failure for each image, in order; a failure to read is passed on in its place.

    Args:
        model: The model.
        images: The images, read at most a batch ahead, and no more than `PIXELS_AT_ONCE` pixels and an image.
        batch: Images of one batch, 1 or more.
    """
    waiting: list[InputImage | Failure] = []
    n_pixels = 0
    for image in images:
        waiting.append(image)
        n_pixels += 0 if isinstance(image, Failure) else image.pixels.shape[0] * image.pixels.shape[1]
        if len(waiting) >= batch or n_pixels >= PIXELS_AT_ONCE:
            yield from _answers(model, waiting)
            waiting, n_pixels = [], 0
    yield from _answers(model, waiting)


def _answers(model: Model, waiting: list[InputImage | Failure]) -> Iterator[Prediction | Rejected | Failure]:
    answers = iter(model.try_predict([image for image in waiting if isinstance(image, InputImage)]))
    for image in waiting:
        yield image if isinstance(image, Failure) else next(answers)
