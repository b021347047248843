"""Prediction of an archive: any number of images into Parquet, by a process pool or a Ray cluster, resumable."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from busight.archive.folder import ArchiveFolder, archive_folder
from busight.archive.listing import list_archive
from busight.archive.pool import run_in_pool
from busight.archive.table import count_rows
from busight.archive.work import Part, Runner, Work
from busight.io.progress import Progress
from busight.model.bundle.load import load_bundle
from busight.model.engines.catalogue import AUTO, EngineSettings
from busight.model.model import Model

_FEWEST, _MOST = 16, 256
"""Files of one part: few enough that a killed worker loses a minute at most, and that every worker gets some."""

FEW = 5_000
"""Files below which a process pool is quicker: a cluster takes some 15 s to start."""


@dataclass(frozen=True, slots=True)
class ArchiveCounts:
    """What an archive holds when it is finished.

    Attributes:
        parts: Parquet files.
        before: Those of them that earlier calls have written.
        records: Records in them.
        failures: Records with an error: images that could not be read, or got no answer.
    """

    parts: int
    before: int
    records: int
    failures: int


def predict_archive(
    bundle: Path,
    sources: Sequence[str],
    out: str,
    *,
    cluster: str = "",
    workers: int = 0,
    engine: EngineSettings | None = None,
    show_rejected: bool = False,
    part_files: int = 0,
    progress: Progress,
) -> ArchiveCounts:
    """Predict an archive into ``parts/part-NNNNNN.parquet`` of a folder. A second call goes on where one ended.

    Args:
        bundle: A bundle, or the folder of a run.
        sources: Files, folders, manifests (CSV with a column ``path``), addresses that fsspec knows.
        out: The folder's path or address.
        cluster: ``pool``, ``ray``, or the address of a cluster; empty for a cluster only where RAY_ADDRESS names one
            and there are `FEW` files or more.
        workers: Workers; 0 for one a core, or all CPUs of a cluster but one.
        engine: How the graphs are run, and in which batches; 0 threads are one: each worker has a core of its own.
        show_rejected: Include what was predicted for rejected images.
        part_files: Files of one part; 0 for a share of all files, at most 256.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault; finished parts stay.
    """
    engine = engine or EngineSettings()
    if cluster not in ("", "pool"):
        from busight.archive.ray_cluster import require_cluster

        require_cluster(_address(cluster))
    folder, card = load_bundle(bundle).parts
    progress.stage("listing")
    listing = list_archive(sources)
    for note in listing.notes:
        progress.line(note)
    if engine.name == AUTO:  # measured here once, not by each worker while the others keep the cores busy
        engine = Model.of_card(folder, card, replace(engine, threads=engine.threads or 1)).engine
    part_files = part_files or min(max(len(listing.addresses) // 32, _FEWEST), _MOST)
    work = Work(folder, Path.cwd(), replace(engine, threads=engine.threads or 1), show_rejected)
    plan = {
        **{"format": 1, "bundle": card.digest, "listing": listing.digest, "files": len(listing.addresses)},
        **{"part_files": part_files, "show_rejected": show_rejected, "engine": asdict(replace(engine, threads=0))},
    }
    with archive_folder(out, plan) as archive:
        before = _finished(archive)
        parts = [part for part in _parts(listing.addresses, part_files) if part[0] not in before]
        runner = _runner(cluster, len(listing.addresses), progress)
        progress.stage(
            f"prediction: {len(listing.addresses)} files, {len(parts)} parts to do, {len(before)} done before"
        )
        counts = list(before.values())
        for finished in runner(work, parts, workers) if parts else ():
            archive.write_part(finished.number, finished.parquet)
            counts.append((finished.records, finished.failures))
            progress.tick(len(counts), len(before) + len(parts))
    records, failures = (sum(column) for column in zip(*counts, strict=True))
    return ArchiveCounts(len(counts), len(before), records, failures)


def _runner(cluster: str, n_files: int, progress: Progress) -> Runner:
    if cluster == "pool" or (not cluster and (n_files < FEW or not _address("ray"))):
        return run_in_pool
    from busight.archive.ray_cluster import run_on_ray

    return partial(run_on_ray, address=_address(cluster or "ray"), progress=progress)


def _address(cluster: str) -> str:
    """Return the address of a cluster; of ``ray`` the one that RAY_ADDRESS names, empty for this machine alone."""
    return os.environ.get("RAY_ADDRESS", "") if cluster == "ray" else cluster


def _parts(addresses: Sequence[str], size: int) -> Iterator[Part]:
    for number, start in enumerate(range(0, len(addresses), size)):
        yield Part(number, tuple(addresses[start : start + size]))


def _finished(archive: ArchiveFolder) -> dict[int, tuple[int, int]]:
    """Return records and failures of each part that is there and whole; a damaged one is predicted again."""
    found = ((number, count_rows(archive.read_part(number))) for number in sorted(archive.parts))
    return {number: counts for number, counts in found if counts is not None}
