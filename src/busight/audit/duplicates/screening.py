"""Screening of candidate pairs: which can be near-duplicates at all, by a template search as matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.audit.duplicates.neighbours import Candidate, Progress
from busight.io.cores import usable_cores
from busight.types import Image

PROMISING = 0.84
"""Least correlation of a pair that is looked at further, at 16×16, where blurring has raised it. The near-duplicates of
BUSI, BUS-BRA and BUS_UC have at least 0.886, a thousand planted crops 0.901, and eight candidates in ten end here."""

_SIDE = 16
_TEMPLATE_SIDES = (16, 15, 14, 13, 12, 11)
"""Scales 1 to 0.69, which `align` searches too."""
_BLOCK = 128
"""Images whose windows are cut together: few enough for the processor's cache."""

_Pictures = NDArray[np.float32]


def promising(
    first: Sequence[Image] | NDArray[np.uint8],
    second: Sequence[Image] | NDArray[np.uint8],
    candidates: Sequence[Candidate],
    progress: Progress | None = None,
) -> list[Candidate]:
    """Return the candidates of which one image, at some scale and place, resembles a part of the other.

    All places of an image are compared with all of its partners in one matrix product a scale, which takes a tenth of
    the time of a search pair by pair.

    Args:
        first: uint8 (96, 96) each, of which the candidates' ``first`` counts.
        second: uint8 (96, 96) each, of which the candidates' ``second`` counts.
        candidates: The candidates.
        progress: Called with (done, total).
    """
    ours, theirs = _shrunk(first), _shrunk(second)
    places = np.array([(one.first, one.second) for one in candidates], dtype=np.int64).reshape(-1, 2)
    flips = np.array([_FLIPS[one.mirrored] for one in candidates], dtype=bool).reshape(-1, 2)
    within = _best(ours, theirs, places[:, 0], places[:, 1], flips, progress)
    without = _best(theirs, ours, places[:, 1], places[:, 0], flips, progress)
    kept = np.flatnonzero(np.maximum(within, without) >= PROMISING)
    return [candidates[place] for place in kept.tolist()]


_FLIPS = {"upright": (False, False), "left-right": (False, True), "up-down": (True, False), "half turn": (True, True)}
"""Whether each kind of mirroring exchanges above and below, and left and right."""


def _shrunk(images: Sequence[Image] | NDArray[np.uint8]) -> _Pictures:
    return np.stack([_resized(image.astype(np.float32), _SIDE) for image in images])


def _resized(picture: _Pictures, side: int) -> _Pictures:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _best(
    wholes: _Pictures,
    parts: _Pictures,
    whole: NDArray[np.int64],
    part: NDArray[np.int64],
    flips: NDArray[np.bool_],
    progress: Progress | None,
) -> NDArray[np.float32]:
    """Return the greatest correlation of each part, at any scale and place, within its whole."""
    templates = {side: _unit(np.stack([_resized(one, side) for one in parts])) for side in _TEMPLATE_SIDES}
    order = np.argsort(whole, kind="stable")
    bounds = np.searchsorted(whole[order], np.arange(0, len(wholes) + _BLOCK, _BLOCK))
    best = np.empty(len(whole), dtype=np.float32)

    def search(block: int) -> None:
        pairs = order[bounds[block] : bounds[block + 1]]
        if len(pairs):
            best[pairs] = _best_in_block(wholes, templates, whole[pairs], part[pairs], flips[pairs])

    with ThreadPoolExecutor(len(usable_cores()), thread_name_prefix="screen") as pool:
        for number, _ in enumerate(pool.map(search, range(len(bounds) - 1)), start=1):
            if progress:
                progress(number, len(bounds) - 1)
    return best


def _best_in_block(
    wholes: _Pictures,
    templates: dict[int, _Pictures],
    whole: NDArray[np.int64],
    part: NDArray[np.int64],
    flips: NDArray[np.bool_],
) -> NDArray[np.float32]:
    images, starts = np.unique(whole, return_index=True)
    ends = [*starts[1:].tolist(), len(whole)]
    padded = np.pad(wholes[images], ((0, 0), (1, 1), (1, 1)), mode="edge")
    best = np.full(len(whole), -1, dtype=np.float32)
    for side in _TEMPLATE_SIDES:
        windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
        windows = _unit(windows.reshape(len(images), -1, side, side))
        wanted = templates[side][part]
        wanted[flips[:, 0]] = wanted[flips[:, 0]][:, ::-1]
        wanted[flips[:, 1]] = wanted[flips[:, 1]][:, :, ::-1]
        flat = wanted.reshape(len(part), -1)
        for place, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
            correlations = windows[place].reshape(-1, side * side) @ flat[start:end].T
            np.maximum(best[start:end], correlations.max(axis=0), out=best[start:end])
    return best


def _unit(pictures: NDArray[np.float32]) -> _Pictures:
    """Return pictures, float32 (..., S, S), without their mean and of unit norm; a uniform one is all zeros."""
    centred = pictures - pictures.mean(axis=(-2, -1), keepdims=True)
    norm = np.sqrt(np.einsum("...ij,...ij->...", centred, centred))[..., None, None]
    return np.asarray(centred / np.where(norm > 0, norm, 1), dtype=np.float32)
