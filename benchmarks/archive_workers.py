"""Efficiency of an archive's workers: two against twice one, in a process pool and on a Ray cluster of this machine.

    python benchmarks/archive_workers.py BUNDLE IMAGES [TURNS]

One and two workers run in turns on the same images, each with one thread. The rate of a run is taken from its second
part on, when every worker has opened its model. The row "bare" is what the machine itself allows: processes that share
nothing predict images in memory for ten seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from busight.archive.archive import predict_archive
from busight.data.readers.inputs import read_frames
from busight.io.progress import Silent
from busight.model.engines.catalogue import EngineSettings
from busight.model.model import Model

_PART_FILES = 26
"""BUSI's 780 images make 30 parts, an even number: with an odd one of two workers idles at the end."""
_BARE_S = 10


class Times(Silent):
    def __init__(self) -> None:
        self.at = [time.perf_counter()]

    def tick(self, done: int, total: int) -> None:
        self.at.append(time.perf_counter())


def bare_rate(bundle: Path, images: str, begin: float) -> float:
    """Return images/s of one process from a common time on."""
    model = Model.load(bundle, EngineSettings(threads=1))
    batch = [frame for path in sorted(Path(images).iterdir())[:64] for frame in read_frames(path)]
    model.predict(batch[:16])
    time.sleep(max(begin - time.time(), 0))
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < _BARE_S:
        model.predict(batch[done % 64 : done % 64 + 16])
        done += 16
    return done / (time.perf_counter() - began)


def bare(bundle: Path, images: str, workers: int) -> float:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        begin = time.time() + 8
        return sum(pool.map(bare_rate, [bundle] * workers, [images] * workers, [begin] * workers))


def main() -> None:
    bundle, images = Path(sys.argv[1]), sys.argv[2]
    rates: dict[tuple[str, int], list[float]] = {}
    starts: dict[tuple[str, int], list[float]] = {}
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 2):
        for workers in (1, 2):
            rates.setdefault(("bare", workers), []).append(bare(bundle, images, workers))
        for cluster in ("pool", "ray"):
            for workers in (1, 2):
                times = Times()
                with tempfile.TemporaryDirectory() as folder:
                    options = {"cluster": cluster, "workers": workers, "part_files": _PART_FILES, "progress": times}
                    predict_archive(bundle, [images], f"{folder}/out", **options)
                parts = len(times.at) - 1
                rate = _PART_FILES * (parts - 2) / (times.at[-1] - times.at[2])
                rates.setdefault((cluster, workers), []).append(rate)
                starts.setdefault((cluster, workers), []).append(times.at[1] - times.at[0])
    print("| workers | images/s, one | images/s, two | two / (2 × one) | until the first part (s) |")
    print("|---|---|---|---|---|")
    for cluster in ("bare", "pool", "ray"):
        one, two = (median(rates[cluster, workers]) for workers in (1, 2))
        start = f"{median(starts[cluster, 2]):.1f}" if cluster != "bare" else ""
        print(f"| {cluster} | {one:.1f} | {two:.1f} | {two / one / 2:.2f} | {start} |")


if __name__ == "__main__":
    main()
