"""Peak memory of a process that does one thing: ``python -m busight.experiments.bench.peak_memory WAY ENGINE ...``."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from busight.errors import InferenceError
from busight.io.cores import usable_cores
from busight.model.bundle.card import CLASSIFIER
from busight.model.bundle.load import load_bundle
from busight.model.engines.catalogue import EngineSettings, GraphSource, open_graph


def peak_mib(way: str, engine: str, bundle: Path, images: Path, batch: int) -> float:
    """Return the peak memory of a process of its own, in MiB.

    Args:
        way: ``end-to-end`` predicts the images; ``bare`` runs the bundle's classifier on a batch in memory.
        engine: Name of the engine.
        bundle: The bundle.
        images: Folder of the images.
        batch: Images of one batch.

    Raises:
        InferenceError: The process failed.
    """
    call = [sys.executable, "-m", __name__, way, engine, str(bundle), str(images), str(batch)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise InferenceError(f"peak memory of {way} {engine}: the process failed ({lines[-1][:100]})")
    return float(done.stdout.split()[-1])


def main(way: str, engine: str, bundle: str, images: str, batch: str) -> None:
    """Do the work and write the peak memory of this process to standard output."""
    cores, n_images = len(usable_cores()), int(batch)
    streams = cores if engine != "pytorch" else 1
    settings = EngineSettings(engine, cores, streams, n_images)
    if way == "end-to-end":
        from busight.experiments.bench.bare import end_to_end
        from busight.model.model import Model

        end_to_end(Model.load(Path(bundle), settings), sorted(Path(images).iterdir()), n_images)()
    else:
        folder, card = load_bundle(Path(bundle)).parts
        side = 0 if card.classify is None else card.classify.input.size
        opened = open_graph(GraphSource(folder, card, CLASSIFIER, (1, side, side)), settings)
        opened.run(np.zeros((n_images, *opened.input_shape), np.float32))
    sys.stdout.write(f"{_own_peak_mib():.1f}\n")


def _own_peak_mib() -> float:
    # What `getrusage` reports holds the peak of the parent too, up to the moment that this process began.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
