"""From samples to arrays on disk, by the preprocessing and views of prediction."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.audit.checked_dataset import CheckedDataset
from busight.data.labels import LabelSchema
from busight.errors import OutputError
from busight.io.cores import in_threads
from busight.io.progress import Progress
from busight.preprocess.pipeline import PreparedImage, Preprocess
from busight.preprocess.resize import resize_or_pad_mask
from busight.segment.roi import region_of_interest
from busight.strategies.strategy import Stages, Strategy
from busight.strategies.views import InputSpec, View
from busight.training.prepared import PreparedSet, Rows
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


def prepare(
    data: CheckedDataset,
    sample_ids: Iterable[str],
    preprocess: Preprocess,
    choose_view: ChooseView,
    spec: InputSpec,
    labels: LabelSchema | None,
    folder: Path,
    progress: Progress,
) -> PreparedSet:
    """Preprocess, cut and resize samples into arrays on disk.

    Args:
        data: The data set.
        sample_ids: Sample ids of the training and the validation subset: the test subset is never prepared.
        preprocess: The preprocessing.
        choose_view: Chooses the view of each image.
        spec: The network's input.
        labels: The classes of the targets; None for segmentation.
        folder: Receives the arrays; existing ones are overwritten.
        progress: Receives a tick for each image.

    Raises:
        OutputError: The arrays do not fit on the disk.
    """
    samples, reader = data.samples_of(sample_ids), data.reader
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(samples), spec.size, spec.size)
    images = np.zeros(0, dtype=np.uint8)
    masks = _zeros_on_disk(folder / "masks.npy", shape)
    known = np.zeros(len(samples), dtype=np.bool_)
    read = in_threads(lambda sample: (preprocess(reader.image(sample)), reader.mask(sample)), samples)
    for row, (image, mask) in enumerate(read):
        mask = None if mask is None else image.crop_box.cut(mask)
        view = choose_view(image, mask)
        if row == 0:
            images = _zeros_on_disk(folder / "images.npy", (*shape, *view.channels.shape[2:]))
        images[row] = view.pixels(spec)
        if mask is not None:
            known[row] = True
            masks[row] = resize_or_pad_mask(view.roi.cut(mask), spec.size, spec.keep_aspect)
        progress.tick(row + 1, len(samples))
    targets = np.array([labels.index(s.label) if labels else -1 for s in samples], dtype=np.int64)
    # A number that does not depend on the other sets: some of the samples are prepared a second time.
    sources = np.array([zlib.crc32(sample.source.encode()) for sample in samples], dtype=np.int64)
    label_ids = np.array([data.labels.index(sample.label) for sample in samples], dtype=np.int64)
    ids = tuple(sample.sample_id for sample in samples)
    return PreparedSet(ids, Rows([images]), Rows([masks]), known, targets, sources, label_ids)


def _zeros_on_disk(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a memory map with its disk space allocated: on a full disk a write would end the process (SIGBUS)."""
    try:
        mapped: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        with path.open("r+b") as stream:
            stream.seek(mapped.offset)
            for _ in range(shape[0]):
                stream.write(bytes(math.prod(shape[1:])))
    except OSError as error:
        raise OutputError(
            f"{path}: could not be written ({error.strerror}); free space or choose another place with --out"
        ) from error
    return mapped
