"""Several machines, or several processes of one, by Ray Data."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
import ray.exceptions

from busight.archive.work import Finished, Part, Work
from busight.errors import BusightError, ConfigError
from busight.io.cores import usable_cores
from busight.io.progress import Progress

_CLIENT_PORT, _CLUSTER_PORT = 10001, 6379
_SECONDS = 5
_MEMORY = 256 * 1024**2
"""Bytes of the object store of a cluster on this machine: it holds the bundle, and parts on their way."""


def require_cluster(address: str) -> None:
    """Raise for a cluster that does not answer; Ray itself would wait for minutes.

    Args:
        address: ``ray://HOST:PORT`` or ``HOST:PORT``; empty for a cluster of this machine alone, ``auto`` and ``local``
            for what Ray calls so.

    Raises:
        ConfigError: Nothing answers there.
    """
    if address in ("", "auto", "local"):
        return
    scheme, _, place = address.rpartition("://")
    host, _, port = place.rpartition(":") if ":" in place else (place, "", "")
    number = port or str(_CLIENT_PORT if scheme else _CLUSTER_PORT)
    if scheme not in ("", "ray") or not host or not number.isdecimal() or not (scheme or port):
        raise ConfigError(
            f"cluster {address!r}: write pool, ray, ray://HOST:{_CLIENT_PORT}, or HOST:{_CLUSTER_PORT} of its head"
        )
    try:
        socket.create_connection((host.strip("[]"), int(number)), timeout=_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ConfigError(
            f"cluster {address}: nothing answers ({getattr(error, 'strerror', None) or error}); check host, port and "
            "the variable RAY_ADDRESS"
        ) from error


def run_on_ray(
    work: Work, parts: Sequence[Part], workers: int = 0, *, address: str = "", progress: Progress
) -> Iterator[Finished]:
    """Yield each part when it is finished. A part whose worker is ended is predicted again by another.

    Args:
        work: How a part is predicted.
        parts: The parts.
        workers: Workers, each on one CPU; 0 for all CPUs but one. One stays free: Ray Data's own tasks need it, and
            with workers on all of them they would wait for ever.
        address: The cluster; empty for one of this machine alone.
        progress: Receives how many workers there are.

    Raises:
        BusightError: One line that names the fault.
    """
    with _connected(address, workers):
        n_cpus = int(ray.cluster_resources().get("CPU", 0))
        if n_cpus < 2 or workers > n_cpus - 1:
            raise ConfigError(
                f"cluster {address or 'ray'}: {n_cpus} CPUs for {workers or 1} workers; one CPU must stay free for "
                "Ray's own tasks, give fewer --workers or add a node"
            )
        n_workers = min(workers or n_cpus - 1, len(parts))
        progress.line(f"Ray: {n_cpus} CPUs, {n_workers} workers; one CPU stays free for Ray's own tasks")
        yield from _predicted(work, parts, n_workers)


def _predicted(work: Work, parts: Sequence[Part], n_workers: int) -> Iterator[Finished]:
    files = {path.relative_to(work.bundle).as_posix(): path.read_bytes() for path in _files(work.bundle)}
    rows: Any = [{"number": number, "addresses": list(addresses)} for number, addresses in parts]
    predicted = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Worker,
        fn_constructor_args=(work, ray.put(files)),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=n_workers),
        num_cpus=1,
    )
    try:
        for row in predicted.iter_rows():
            yield Finished(row["number"], row["parquet"], row["records"], row["failures"])
    except ray.exceptions.RayError as error:
        raise _one_line(error) from error


def _files(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file())


class _Worker:
    """A worker of the cluster: it gets the bundle with its first part."""

    def __init__(self, work: Work, files: Any) -> None:
        self._work = work
        self._copy = tempfile.TemporaryDirectory(prefix="busight-")
        for name, content in (ray.get(files) if isinstance(files, ray.ObjectRef) else files).items():
            path = Path(self._copy.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Predict the part of a batch."""
        part = Part(int(batch["number"][0]), tuple(map(str, batch["addresses"][0])))
        finished = self._work.predict(part, Path(self._copy.name))
        return {name: np.array([value], dtype=object) for name, value in finished._asdict().items()}


def _one_line(error: BaseException) -> BusightError:
    """Return the error of a worker as it was raised there, else Ray's own in one line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BusightError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    reason = str(error).strip().splitlines()[-1][:300]
    return BusightError(f"Ray: {reason}; the finished parts stay, go on with the same command")


@contextmanager
def _connected(address: str, workers: int) -> Iterator[None]:
    require_cluster(address)
    # It tells its makers nothing, and writes no log of its own between our lines.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if ray.is_initialized():
        raise BusightError("Ray runs in this process already; call ray.shutdown() first")
    start = partial(ray.init, log_to_driver=False, logging_level=logging.ERROR)
    try:
        if address and address != "local":
            start(address)
        else:
            # One more than works: CPUs of a cluster are a count, not cores.
            n_cpus = (workers or len(usable_cores())) + 1
            start("local", num_cpus=n_cpus, include_dashboard=False, object_store_memory=_MEMORY)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"cluster {address or 'ray'}: could not be joined ({reason}); check that Ray {ray.__version__} "
            "runs there, and the cluster's token (RAY_AUTH_TOKEN)"
        ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()
