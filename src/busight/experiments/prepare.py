"""From samples to arrays on disk, by the preprocessing and views of prediction."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.audit.checked_dataset import CheckedDataset
from busight.data.labels import LabelSchema
from busight.errors import OutputError
from busight.experiments.training_views import ChooseView
from busight.io.cores import in_threads
from busight.io.progress import Progress
from busight.preprocess.pipeline import Preprocess
from busight.preprocess.resize import resize_or_pad, resize_or_pad_mask
from busight.strategies.views import InputSpec
from busight.training.prepared import PreparedSet, Rows
from busight.types import Mask


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
            masks[row] = _shrunk(view.roi.cut(mask), spec)
        progress.tick(row + 1, len(samples))
    targets = np.array([labels.index(s.label) if labels else -1 for s in samples], dtype=np.int64)
    # A number that does not depend on the other sets: some of the samples are prepared a second time.
    sources = np.array([zlib.crc32(sample.source.encode()) for sample in samples], dtype=np.int64)
    label_ids = np.array([data.labels.index(sample.label) for sample in samples], dtype=np.int64)
    ids = tuple(sample.sample_id for sample in samples)
    return PreparedSet(ids, Rows([images]), Rows([masks]), known, targets, sources, label_ids)


def _shrunk(mask: Mask, spec: InputSpec) -> Mask:
    """Return a mask at the input's size; a lesion too small for any pixel keeps one: it must not look lesion-free."""
    small = resize_or_pad_mask(mask, spec.size, spec.keep_aspect)
    if mask.any() and not small.any():
        share = resize_or_pad(mask.astype(np.uint8) * 255, spec.size, spec.keep_aspect)
        small[np.unravel_index(int(share.argmax()), small.shape)] = True
    return small


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
