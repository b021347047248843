"""Time ``busight --help``, the best of five; the bound is 0.4 s: ``python benchmarks/startup.py``."""

from __future__ import annotations

import subprocess
import sys
import time

BOUND_S = 0.4
RUNS = 5


def main() -> int:
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from busight.cli.app import main; main()", "--help"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds.append(time.perf_counter() - started)
    print(f"busight --help: {min(seconds):.2f} s (best of {RUNS}, worst {max(seconds):.2f} s), bound {BOUND_S} s")
    return int(min(seconds) >= BOUND_S)


if __name__ == "__main__":
    sys.exit(main())
