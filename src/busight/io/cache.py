"""The folder for what can be made again: measurements of this machine, prepared arrays."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "BUSIGHT_CACHE"
"""Environment variable that names another folder."""


def cache_folder() -> Path:
    """Return the cache folder, which need not exist: ``BUSIGHT_CACHE``, else the system's place for caches."""
    if given := os.environ.get(VARIABLE):
        return Path(given).expanduser()
    import pooch

    return Path(pooch.os_cache("busight"))
