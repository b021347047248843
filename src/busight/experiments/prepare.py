"""From samples to arrays on disk, by the very steps that prediction uses."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.classify.masked import with_mask
from busight.classify.settings import LesionUse
from busight.data.dataset import Reader
from busight.data.labels import Task
from busight.errors import OutputError
from busight.io.progress import Progress
from busight.preprocess.pipeline import Enhancement
from busight.preprocess.resize import mask_to_input, to_input
from busight.segment.postprocess import to_mask
from busight.segment.roi import region_of_interest
from busight.segment.settings import SegmentSettings
from busight.strategies.segmenters import Segmenter
from busight.train.prepared import PreparedSet, Rows
from busight.types import Finding, Image, Mask, Roi, Sample

Region = Callable[[Image, Mask | None], Roi]
"""Chooses the part that a network sees: of the enhanced image, HW or HW3, and, for training alone, the drawn mask."""

Marking = Callable[[Image], Image]
"""Changes the enhanced image, HW or HW3, into what a network sees of it."""


def whole_image(image: Image, drawn: Mask | None = None) -> Roi:
    """Choose the whole image."""
    return Roi(0, 0, image.shape[0], image.shape[1])


def predicted_region(segmenter: Segmenter, settings: SegmentSettings) -> Region:
    """Choose the region around the lesion that a segmenter finds: never around the drawn one."""

    def choose(image: Image, drawn: Mask | None = None) -> Roi:
        mask = to_mask(segmenter.probs(image), settings.postprocess)
        return region_of_interest(mask, settings.roi.margin, settings.roi.square)

    return choose


def predicted_marking(use: LesionUse, segmenter: Segmenter, settings: SegmentSettings) -> Marking:
    """Show the mask that a segmenter draws, as `busight.classify.masked.with_mask` does: never the drawn one."""

    def mark(image: Image) -> Image:
        return with_mask(use, image, to_mask(segmenter.probs(image), settings.postprocess))

    return mark


def training_region(margin: float, rng: np.random.Generator) -> Region:
    """Choose regions to train the second look of ``zoom`` on, drawn once for each image.

    Around a drawn lesion: the margin is between half and twice the recipe's and the box is off its centre by up to a
    tenth, since at prediction time it will be a predicted one. Where the drawn mask is empty: a square anywhere, with
    0.3 to 0.8 of the shorter side. It must know normal tissue at close range too: masks are sometimes found where no
    lesion is. Where nobody drew a mask: the whole image, since nobody knows where to look.

    Args:
        margin: Of `RoiSettings`.
        rng: Draws.
    """

    def choose(image: Image, drawn: Mask | None = None) -> Roi:
        if drawn is None:
            return whole_image(image)
        return _around(drawn, margin, rng) if drawn.any() else _anywhere(image, rng)

    return choose


def _around(drawn: Mask, margin: float, rng: np.random.Generator) -> Roi:
    height, width = drawn.shape
    box = region_of_interest(drawn, margin * float(rng.uniform(0.5, 2)))
    down, right = (float(shift) for shift in rng.uniform(-0.1, 0.1, 2))
    top = min(max(box.top + round(down * box.height), 0), height - box.height)
    left = min(max(box.left + round(right * box.width), 0), width - box.width)
    return Roi(top, left, top + box.height, left + box.width)


def _anywhere(image: Image, rng: np.random.Generator) -> Roi:
    height, width = image.shape[:2]
    side = max(1, round(float(rng.uniform(0.3, 0.8)) * min(height, width)))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return Roi(top, left, top + side, left + side)


def prepare(
    samples: Sequence[Sample],
    reader: Reader,
    enhancement: Enhancement,
    region: Region,
    size: int,
    keep_aspect: bool,
    task: Task | None,
    folder: Path,
    progress: Progress,
    marking: Marking | None = None,
) -> PreparedSet:
    """Enhance, cut and resize every sample into arrays on disk.

    Args:
        samples: N samples.
        reader: Reads them.
        enhancement: What happens to a picture first.
        region: Chooses what the network sees.
        size: Side S of the network's input.
        keep_aspect: Pad instead of stretching.
        task: Gives the targets; None for segmentation.
        folder: For the arrays; they are overwritten.
        progress: Told about each image.
        marking: Changes what is seen of the enhanced image; None shows it as it is.

    Raises:
        OutputError: The arrays do not fit on the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(samples), size, size)
    images = np.zeros(0, dtype=np.uint8)
    masks = _zeros_on_disk(folder / "masks.npy", shape)
    known = np.zeros(len(samples), dtype=np.bool_)
    for row, sample in enumerate(samples):
        image, mask = reader.image(sample), reader.mask(sample)
        field = enhancement.field(image)
        seen = enhancement.layers(enhancement.enhanced(field.cut(image)))
        seen = seen if marking is None else marking(seen)
        if row == 0:
            images = _zeros_on_disk(folder / "images.npy", (*shape, *seen.shape[2:]))
        mask = None if mask is None else field.cut(mask)
        box = region(seen, mask)
        images[row] = to_input(box.cut(seen), size, keep_aspect)
        if mask is not None:
            known[row] = True
            masks[row] = mask_to_input(box.cut(mask), size, keep_aspect)
        progress.tick(row + 1, len(samples))
    targets = np.array([task.target(s.finding) if task else -1 for s in samples], dtype=np.int64)
    # Numbers that do not depend on which other sets are there: a part of the samples is prepared too.
    sources = np.array([zlib.crc32(sample.source.encode()) for sample in samples], dtype=np.int64)
    order = list(Finding)
    findings = np.array([-1 if s.finding is None else order.index(s.finding) for s in samples], dtype=np.int64)
    ids = tuple(sample.sample_id for sample in samples)
    return PreparedSet(ids, Rows([images]), Rows([masks]), known, targets, sources, findings)


def _zeros_on_disk(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Map a new array with its space already taken: writing to a map on a full disk would end the process (SIGBUS)."""
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
