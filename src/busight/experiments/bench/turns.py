"""Speeds measured in turns: each of several ways once a round, so that other work on the machine meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from busight.io.progress import Progress
from busight.types import FloatArray


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get answers for images.

    Attributes:
        name: Its name.
        images: Images of one call of `run`.
        run: Does the work.
    """

    name: str
    images: int
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class SpeedRatio:
    """How many times as many images a second one way gets through as another.

    Attributes:
        value: Median over the rounds of the ratio within a round.
        low: The lowest of a round.
        high: The highest of a round.
    """

    value: float
    low: float
    high: float


def seconds_in_turns(
    ways: Sequence[Way], rounds: int, progress: Progress, clock: Callable[[], float] = time.perf_counter
) -> dict[str, FloatArray]:
    """Return the seconds an image of each way, float64 (rounds,), by its name.

    Args:
        ways: The ways; each runs once before the first round, since a first run allocates memory.
        rounds: Rounds that count, 1 or more.
        progress: Receives a tick for each run.
        clock: Returns seconds.
    """
    seconds = {way.name: np.empty(rounds) for way in ways}
    total = (rounds + 1) * len(ways)
    for number in range(-1, rounds):
        for place, way in enumerate(ways):
            began = clock()
            way.run()
            took = clock() - began
            if number >= 0:
                seconds[way.name][number] = took / way.images
            progress.tick((number + 1) * len(ways) + place + 1, total)
    return seconds


def speed_ratio(seconds: Mapping[str, FloatArray], way: str, against: str) -> SpeedRatio:
    """Return the ratio of two ways' images a second: above 1 the first is quicker.

    Example:
        >>> speed_ratio({"ours": np.array([0.1, 0.2]), "theirs": np.array([0.2, 0.6])}, "ours", "theirs").value
        2.5
    """
    ratios = seconds[against] / seconds[way]
    return SpeedRatio(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))
