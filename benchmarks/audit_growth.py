"""Growth of the search for near-duplicates: 10,000, 30,000 and 100,000 thumbnails, from fingerprints to pairs.

    python benchmarks/audit_growth.py [COUNT ...]

Thumbnails are random fields with the falling spectrum of an ultrasound image, brighter above than below; one in ten has
a near-copy: brighter, and cropped by 4 % a side. Printed are seconds of each pass (nearest fingerprints, screening,
confirmation), candidates, peak memory, the share of near-copies found, and how the time grows (1.0 is linear).
"""

from __future__ import annotations

import math
import resource
import sys
import time
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.audit.duplicates.fingerprint import coefficients, fingerprints
from busight.audit.duplicates.near_duplicates import confirmed
from busight.audit.duplicates.neighbours import candidates_within
from busight.audit.duplicates.screening import promising
from busight.data.thumbnail import SIDE

_WAVES = 32


def main() -> None:
    before: tuple[int, float] | None = None
    print("| thumbnails | fingerprints (s) | screening (s) | confirmation (s) | all (s) | candidates | screened |"
          " memory (GB) | near-copies found | pairs | growth |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for count in [int(text) for text in sys.argv[1:]] or [10_000, 30_000, 100_000]:
        thumbnails, copies = planted(count)
        times = [time.perf_counter()]
        candidates = candidates_within(fingerprints(np.stack([coefficients(small) for small in thumbnails])))
        times.append(time.perf_counter())
        kept = promising(thumbnails, thumbnails, candidates)
        times.append(time.perf_counter())
        pairs = {(pair.first, pair.second) for pair in confirmed(thumbnails, thumbnails, kept)}
        times.append(time.perf_counter())
        seconds = times[-1] - times[0]
        recall = sum((copy, copy + 1) in pairs for copy in copies) / len(copies)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        growth = "" if before is None else f"{math.log(seconds / before[1]) / math.log(count / before[0]):.2f}"
        passes = " | ".join(f"{later - earlier:.1f}" for earlier, later in pairwise(times))
        print(f"| {count:,} | {passes} | {seconds:.1f} | {len(candidates):,} | {len(kept):,} | {memory:.2f} | "
              f"{recall:.4f} | {len(pairs):,} | {growth} |", flush=True)  # fmt: skip
        before = (count, seconds)


def planted(count: int) -> tuple[NDArray[np.uint8], list[int]]:
    """Return thumbnails, uint8 (count, 96, 96), and the places of those whose near-copy follows."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:_WAVES, :_WAVES]
    fall = 1 / (1 + np.hypot(down, across)) ** 1.25
    thumbnails = np.empty((count, SIDE, SIDE), dtype=np.uint8)
    copies = list(range(0, count - 1, 10))
    for place in range(count):
        if place % 10 == 1:
            small = cv2.resize(thumbnails[place - 1][4:-4, 4:-4], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            thumbnails[place] = np.clip(small * 1.1 + 8, 0, 255).astype(np.uint8)
            continue
        spectrum = np.zeros((SIDE, SIDE), dtype=np.float32)
        spectrum[:_WAVES, :_WAVES] = rng.normal(size=fall.shape) * fall
        spectrum[1, 0] += 0.5
        field = cv2.idct(spectrum)
        thumbnails[place] = np.clip(100 + 45 * (field - field.mean()) / field.std(), 0, 255).astype(np.uint8)
    return thumbnails, copies


if __name__ == "__main__":
    main()
