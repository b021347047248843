"""Predicting a stream of images in batches, several at the same time, in order, failures included."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from busight.model.model import BATCH, PIXELS_AT_ONCE, Model, batches
from busight.types import Failure, InputImage, Prediction, Rejected

Answer = Prediction | Rejected | Failure


def predict_stream(
    model: Model, images: Iterable[InputImage | Failure], batch: int = BATCH, *, explain: bool = False
) -> Iterator[Answer]:
    """Yield a prediction, rejection or failure for each image, in order; a failure to read is passed on in its place.

    As many batches as the model's engine was opened for go through the networks at the same time, each in a thread of
    its own, while the next images are read.

    Args:
        model: The model.
        images: The images. They are read ahead by at most one batch more than there are streams, and by no more than
            twice the pixels of a batch.
        batch: Images of one batch, 1 or more.
        explain: Describe each lesion too; see `Model.predict`.
    """
    streams = model.engine.streams
    running: deque[tuple[int, Future[list[Answer]]]] = deque()
    pool = ThreadPoolExecutor(streams, thread_name_prefix="predict")
    try:
        for group in batches(images, batch):
            n_pixels = sum(image.pixels.size for image in group if isinstance(image, InputImage))
            while running and (len(running) > streams or sum(n for n, _ in running) + n_pixels > 2 * PIXELS_AT_ONCE):
                yield from running.popleft()[1].result()
            running.append((n_pixels, pool.submit(_answers, model, group, explain)))
        while running:
            yield from running.popleft()[1].result()
    finally:  # also where the caller takes no more answers: nothing is computed in vain
        pool.shutdown(wait=True, cancel_futures=True)


def _answers(model: Model, group: list[InputImage | Failure], explain: bool) -> list[Answer]:
    answers = iter(model.try_predict([image for image in group if isinstance(image, InputImage)], explain=explain))
    return [image if isinstance(image, Failure) else next(answers) for image in group]
