"""The quickest engine on this machine, by a short measurement that is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from busight.errors import BusightError, OutputError
from busight.io.atomic import write_json
from busight.io.cache_folder import cache_folder
from busight.io.digests import sha256_of_json
from busight.model.engines.catalogue import ENGINES, EngineSettings, GraphSource, open_graph
from busight.model.engines.instructions import processor_name
from busight.strategies.engine import Engine

CHOICES = "engines.json"
"""File of the measurements in the cache folder."""

_LONGEST = 0.5
"""Seconds of one engine's measurement, at least one run."""

_CANDIDATES = ("onnxruntime", "openvino")
"""Engines with exact answers on the CPU; PyTorch was never the quickest, and takes seconds to import."""


def fastest(source: GraphSource, settings: EngineSettings) -> EngineSettings:
    """Return the settings with the quickest engine in place of ``auto``.

    Only engines whose answers are those of the ONNX graph, but for rounding, are tried. The first call on a machine
    measures them, some two seconds; its result is kept in the cache folder, by bundle, processor, cores and versions.

    Args:
        source: A graph of the bundle.
        settings: Threads, streams and batch.

    Raises:
        BundleError: No engine can run the graph.
    """
    candidates = [name for name in _CANDIDATES if ENGINES[name].is_installed]
    if len(candidates) == 1:
        return replace(settings, name=candidates[0])
    key = _key(source, settings, candidates)
    kept = _kept()
    speeds = kept.get(key)
    if speeds is None or speeds.keys() != set(candidates):
        speeds = measure(source, settings, candidates)
        folder = cache_folder()
        with suppress(OutputError):  # a cache that cannot be written costs the time of the measurement, nothing else
            if folder is not None:
                write_json(folder / CHOICES, {**_kept(), key: speeds})
    return replace(settings, name=max(speeds, key=lambda name: speeds[name]))


def measure(source: GraphSource, settings: EngineSettings, names: list[str]) -> dict[str, float]:
    """Return inputs a second of each engine, 0 for one that cannot run the graph.

    Raises:
        BundleError: None can.
    """
    speeds: dict[str, float] = {}
    refusal: BusightError | None = None
    for name in names:
        try:
            speeds[name] = _inputs_per_second(open_graph(source, replace(settings, name=name)), settings)
        except BusightError as error:
            speeds[name], refusal = 0.0, error
    if refusal is not None and not any(speeds.values()):
        raise refusal
    return speeds


def _inputs_per_second(engine: Engine, settings: EngineSettings) -> float:
    """Return the rate of full streams, of which each runs one batch; the best of several rounds."""
    batch = np.full((settings.batch, *engine.input_shape), 0.5, dtype=np.float32)
    best, began = 0.0, time.perf_counter()
    with ThreadPoolExecutor(settings.streams) as pool:
        list(pool.map(engine.run, [batch] * settings.streams))  # the first run allocates memory
        while not best or time.perf_counter() - began < _LONGEST:
            start = time.perf_counter()
            list(pool.map(engine.run, [batch] * settings.streams))
            best = max(best, settings.streams * settings.batch / (time.perf_counter() - start))
    return best


def _key(source: GraphSource, settings: EngineSettings, candidates: list[str]) -> str:
    versions = {name: version(ENGINES[name].module) for name in candidates}
    facts = [source.card.files[source.graph], source.graph, processor_name(), versions]
    return sha256_of_json([*facts, settings.cores, settings.streams, settings.batch])


def _kept() -> Mapping[str, dict[str, float]]:
    """Return the measurements so far; none where the file is not as it was written."""
    folder = cache_folder()
    with suppress(OSError, ValueError):
        kept = {} if folder is None else json.loads((folder / CHOICES).read_bytes())
        if isinstance(kept, dict) and all(isinstance(speeds, dict) for speeds in kept.values()):
            return {
                key: {name: float(speed) for name, speed in speeds.items() if isinstance(speed, int | float)}
                for key, speeds in kept.items()
            }
    return {}
