"""Atomic writes: a file appears whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from busight.errors import OutputError


@contextmanager
def written_beside(path: Path, new: bool = False) -> Iterator[Path]:
    """Yield a path beside ``path``; rename it to ``path`` when the block succeeds, remove it when it raises.

    Args:
        path: The file to write, whole or not at all. Its folder is made if missing.
        new: Raise where a file of this name has appeared in the meantime.

    Yields:
        The temporary path, in the same folder and with the same suffix.

    Raises:
        OutputError: The operating system refused to write (full disk, no permission, ...), or the file exists.
    """
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        if new:
            name_new_file(beside, path)
        else:
            beside.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: could not be written ({reason}); free space or choose another place") from error
    finally:
        # After an error there may be nothing to remove, not even its folder; that error is the one to report.
        with suppress(OSError):
            beside.unlink()


def remove_parts(folder: Path) -> None:
    """Remove below a folder what a killed process left of `written_beside`; no other may be writing there."""
    for path in folder.rglob(".*.part*"):
        if re.fullmatch(r"\..*\.\d+\.part(\.\w+)?", path.name):
            with suppress(OSError):
                path.unlink()


def name_new_file(written: Path, path: Path) -> None:
    """Give a written file its name, never in the place of another.

    Raises:
        OutputError: A file of this name exists; the written one stays.
    """
    try:
        os.link(written, path)
    except FileExistsError as error:
        raise OutputError(f"{path}: exists already and is never overwritten; choose another place") from error
    except OSError:
        written.rename(path)  # a file system without hard links
        return
    with suppress(OSError):
        written.unlink()


def write_bytes(path: Path, content: bytes, new: bool = False) -> None:
    """Write bytes to a file, whole or not at all; ``new`` as in `written_beside`."""
    with written_beside(path, new=new) as beside:
        beside.write_bytes(content)


def write_text(path: Path, text: str, new: bool = False) -> None:
    """Write UTF-8 text to a file, whole or not at all; of a file name that is not UTF-8, the odd bytes as escapes."""
    write_bytes(path, text.encode(errors="backslashreplace"), new)


def write_json(path: Path, value: Any, new: bool = False) -> None:
    """Write a JSON value, indented, whole or not at all. NaN is written as null: JSON has no NaN."""
    write_text(path, json.dumps(nan_as_none(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n", new)


@contextmanager
def filled_at_once(folder: Path, last: str) -> Iterator[Path]:
    """Give a hidden folder within a new one; what lies in it at the end moves out of it, after an error nothing does.

    Args:
        folder: The new folder; it is made where it is missing.
        last: Name of the file that moves after all others, by which the folder is known to be whole.

    Raises:
        OutputError: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as name:
            inside = Path(name)
            yield inside
            for path in sorted(inside.iterdir(), key=lambda path: path.name == last):
                path.replace(folder / path.name)
    except OSError as error:
        raise OutputError(
            f"{folder}: could not be written ({error.strerror or error}); free space or choose another place with --out"
        ) from error


def nan_as_none(value: Any) -> Any:
    """Return a JSON value with None for each NaN in it."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dict):
        return {key: nan_as_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [nan_as_none(item) for item in value]
    return value


def require_new_file(path: Path) -> None:
    """Raise for a file of results that exists already; to be called before the work begins.

    Raises:
        OutputError: Something of this name exists.
    """
    if path.exists():
        raise OutputError(f"{path}: exists already and is never overwritten; choose another place or remove it")


def require_free_folder(path: Path) -> None:
    """Raise for a folder of results that is not empty or not writable; nothing is overwritten or made yet.

    The folder appears with the first result, so that an earlier error leaves no empty folder behind.

    Raises:
        OutputError: The path exists and is not an empty folder that may be written in, or cannot be made.
    """
    try:
        # A dead link does not exist for most functions, but nothing can be written in its place.
        if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"{path}: exists already and is never overwritten; choose another place or remove it")
        nearest = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    except OSError as error:
        raise OutputError(f"{path}: folder could not be made ({error.strerror}); choose another place") from error
    if not nearest.is_dir():
        raise OutputError(f"{path}: folder could not be made ({nearest} is a file); choose another place")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: nothing may be written in {nearest}; choose another place")
