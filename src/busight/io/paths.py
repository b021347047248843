"""Paths and texts that come from the command line."""

from __future__ import annotations

from pathlib import Path


def is_utf8(text: str) -> bool:
    """Return whether a text of the command line was UTF-8; Python keeps other bytes as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def user_path(text: str) -> Path:
    """Return a path with its ``~`` expanded; ``~name`` stays as it is where there is no such user."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
