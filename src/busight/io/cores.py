"""Processor cores: how many this process may use, and how several processes share them."""

from __future__ import annotations

import os


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use; all of them where the system has no affinity."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_cores(cores: list[int]) -> None:
    """Restrict this process, and every library that it loads from now on, to some cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
