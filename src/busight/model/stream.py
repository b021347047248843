"""Predicting a stream of images in batches, in order, failures included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from busight.model.model import BATCH, Model, batches
from busight.types import Failure, InputImage, Prediction, Rejected


def predict_stream(
    model: Model, images: Iterable[InputImage | Failure], batch: int = BATCH
) -> Iterator[Prediction | Rejected | Failure]:
    """Yield a prediction, rejection or failure for each image, in order; a failure to read is passed on in its place.

    Args:
        model: The model.
        images: The images, read at most a batch ahead, and no more than an image and the pixels of a batch.
        batch: Images of one batch, 1 or more.
    """
    for group in batches(images, batch):
        answers = iter(model.try_predict([image for image in group if isinstance(image, InputImage)]))
        for image in group:
            yield image if isinstance(image, Failure) else next(answers)
