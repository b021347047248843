"""The cache folder of this user: the one place that reads the environment for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 8 * 1024**3
"""Size of the cache; the entries that were used least recently are removed first."""


VARIABLE = "BUSIGHT_CACHE"
"""Environment variable that names another folder; ``off`` for none."""


def cache_folder() -> Path | None:
    """Return the cache folder: ``BUSIGHT_CACHE``, else the system's place for caches (``XDG_CACHE_HOME`` on Linux).

    Returns:
        None where ``BUSIGHT_CACHE`` is ``off``.
    """
    import pooch

    named = os.environ.get(VARIABLE, "")
    if named == "off":
        return None
    return Path(named).expanduser() if named else Path(pooch.os_cache("busight"))


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def remove_least_recent(folder: Path, limit: int = LIMIT_BYTES) -> None:
    """Remove the entries, folders in ``folder``, that were used least recently, until the others fit the limit."""
    entries = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)
    total = 0
    for entry in entries:
        total += size_of(entry)
        if total > limit:
            shutil.rmtree(entry, ignore_errors=True)
