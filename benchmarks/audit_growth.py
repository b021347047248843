"""Growth of the search for copies: matching 10,000, 30,000 and 100,000 fingerprints.

    python benchmarks/audit_growth.py [COUNT ...]

Fingerprints are drawn at random, with one planted near-copy in ten; printed are seconds, peak memory, the share of
planted copies among the candidates, and how time grows against the count (1.0 is linear).
"""

from __future__ import annotations

import math
import resource
import sys
import time

import numpy as np

from busight.audit.duplicates.fingerprint import COEFFICIENTS, fingerprints
from busight.audit.duplicates.neighbours import candidates_within


def main() -> None:
    counts = [int(text) for text in sys.argv[1:]] or [10_000, 30_000, 100_000]
    before: tuple[int, float] | None = None
    print("| fingerprints | seconds | peak memory (GB) | planted copies found | growth |")
    print("|---|---|---|---|---|")
    for count in counts:
        rng = np.random.default_rng(0)
        found = rng.normal(size=(count, COEFFICIENTS)).astype(np.float32)
        copies = np.arange(0, count - 1, 10)
        found[copies + 1] = found[copies] + 0.15 * rng.normal(size=(len(copies), COEFFICIENTS)).astype(np.float32)
        began = time.perf_counter()
        candidates = candidates_within(fingerprints(found))
        seconds = time.perf_counter() - began
        pairs = {(one.first, one.second) for one in candidates}
        recall = sum((int(c), int(c) + 1) in pairs for c in copies) / len(copies)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        growth = "" if before is None else f"{math.log(seconds / before[1]) / math.log(count / before[0]):.2f}"
        print(f"| {count:,} | {seconds:.1f} | {memory:.2f} | {recall:.4f} | {growth} |", flush=True)
        before = (count, seconds)


if __name__ == "__main__":
    main()
