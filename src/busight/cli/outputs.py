"""Folders of results as commands name them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def folder_of_now(name: str) -> Path:
    """Return the folder of results where none is given, ``runs/NAME-TIME``."""
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
