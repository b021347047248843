"""Making every picture of a set on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from busight.data.phantom.planting import Plant, render
from busight.data.phantom.spec import PhantomSpec
from busight.types import Image

# Below this the threads' start is not worth it.
_FEW = 4


def render_all(
    spec: PhantomSpec, plants: dict[int, Plant], progress: Callable[[int, int], None] | None = None, workers: int = 0
) -> list[tuple[Image, NDArray[np.uint8]]]:
    """Make every picture of a set.

    Threads, not processes: nearly all the time goes into NumPy and OpenCV, which let other threads run meanwhile. A
    fresh process would import the caller's script again, and data-loader workers may not start processes at all.
    Each picture has its own generator, so the number of workers changes nothing but the time.

    Args:
        spec: The set.
        plants: Its planted faults.
        progress: Told the number of pictures done and wanted, in the caller's thread.
        workers: Threads; 0 for one per core.

    Returns:
        Per picture: uint8 HW, and the mask's bits as packed by ``numpy.packbits``.
    """
    workers = workers or os.cpu_count() or 1
    make = partial(_picture, spec, plants)
    if workers == 1 or spec.count < _FEW:
        return [_told(made, done, spec.count, progress) for done, made in enumerate(map(make, range(spec.count)), 1)]
    with ThreadPoolExecutor(workers, thread_name_prefix="phantom") as pool:
        finished = pool.map(make, range(spec.count))
        return [_told(made, done, spec.count, progress) for done, made in enumerate(finished, 1)]


def _picture(spec: PhantomSpec, plants: dict[int, Plant], index: int) -> tuple[Image, NDArray[np.uint8]]:
    case = render(spec, plants, index)
    return case.image, np.packbits(case.mask)


def _told(
    made: tuple[Image, NDArray[np.uint8]], done: int, wanted: int, progress: Callable[[int, int], None] | None
) -> tuple[Image, NDArray[np.uint8]]:
    if progress is not None:
        progress(done, wanted)
    return made
