"""Processor cores: how many this process may use, and how several processes share them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use; all of them where the system has no affinity."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_cores(cores: list[int]) -> None:
    """Restrict this process, and every library that it loads from now on, to some cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def in_threads(function: Callable[[_T], _R], items: Iterable[_T], threads: int = 0, ahead: int = 4) -> Iterator[_R]:
    """Yield a function's value for each item, in order, computed in threads.

    For work that leaves Python's lock alone: OpenCV, Pillow, digests, reading of files and of object stores.

    Args:
        function: Called once for each item.
        items: The items.
        threads: Threads; 0 for as many as there are usable cores.
        ahead: Items a thread that are under way or waiting to be asked for, at most.

    Example:
        >>> list(in_threads(abs, [-2, 1]))
        [2, 1]
    """
    threads = threads or len(usable_cores())
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        remaining = iter(items)
        waiting = [pool.submit(function, item) for item in islice(remaining, ahead * threads)]
        try:
            while waiting:
                value = waiting.pop(0).result()
                waiting += [pool.submit(function, item) for item in islice(remaining, 1)]
                yield value
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
