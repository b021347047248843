"""Rendering of many images of a set on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from busight.io.cores import usable_cores
from busight.simulate.injected_faults import InjectedFault, render
from busight.simulate.spec import PhantomSpec
from busight.types import Image

# Below this number threads are not faster.
_FEW = 4


def render_many(
    spec: PhantomSpec, faults: dict[int, InjectedFault], indices: Sequence[int], workers: int = 0
) -> list[tuple[Image, NDArray[np.uint8]]]:
    """Render some images of a set.

    Threads, not processes: nearly all the time is spent in NumPy and OpenCV, which release the GIL. A new process would
    import the caller's script again, and data-loader workers may not start processes at all. Each image has its own
    generator, so neither the number of workers nor the order changes anything but the time.

    Args:
        spec: The set.
        faults: Its injected faults.
        indices: Indices of the images, from 0.
        workers: Threads; 0 for one per core.

    Returns:
        Per picture: uint8 HW, and the mask's bits as packed by ``numpy.packbits``.
    """
    workers = workers or len(usable_cores())
    make = partial(_picture, spec, faults)
    if workers == 1 or len(indices) < _FEW:
        return list(map(make, indices))
    with ThreadPoolExecutor(workers, thread_name_prefix="phantom") as pool:
        return list(pool.map(make, indices))


def _picture(spec: PhantomSpec, faults: dict[int, InjectedFault], index: int) -> tuple[Image, NDArray[np.uint8]]:
    case = render(spec, faults, index)
    return case.image, np.packbits(case.mask)
