"""Time the making of 500 phantoms at 256 x 256: ``python benchmarks/phantom_speed.py [COUNT] [WORKERS]``."""

from __future__ import annotations

import hashlib
import sys
import time

from busight.simulate.injected_faults import plan_faults
from busight.simulate.parallel import render_many
from busight.simulate.spec import parse_phantom_spec


def main() -> None:
    count = sys.argv[1] if len(sys.argv) > 1 else "500"
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    spec = parse_phantom_spec(count)
    started = time.perf_counter()
    pictures = render_many(spec, plan_faults(spec), range(spec.count), workers=workers)
    seconds = time.perf_counter() - started
    digest = hashlib.sha256(b"".join(image.tobytes() for image, _ in pictures)).hexdigest()
    print(f"{spec.count} phantoms, {workers} workers: {seconds:.1f} s, sha256 of the pixels {digest[:16]}")


if __name__ == "__main__":
    main()
