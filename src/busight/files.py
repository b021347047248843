"""Writing so that nothing half-written is ever mistaken for a result, and digests of what was written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from busight.errors import OutputError


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_json(value: Any) -> str:
    """Return the SHA-256 of a JSON value in its canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=True)
    # surrogatepass: a file name that is not UTF-8 has a digest too.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_utf8(text: str) -> bool:
    """Tell whether a text of the command line was UTF-8; Python keeps other bytes as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def user_path(text: str) -> Path:
    """Return a path that a user typed, its ``~`` expanded; ``~nobody`` stays as it is where there is no such user."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


@contextmanager
def written_beside(path: Path, interrupted: Path | None = None) -> Iterator[Path]:
    """Yield a path beside ``path``; rename it to ``path`` when the block ends well, remove it when it does not.

    Args:
        path: The file that shall appear, whole or not at all. Its folder is made if missing.
        interrupted: After Ctrl-C, keep what was written so far under this name instead of removing it.

    Yields:
        The temporary path, in the same folder and with the same suffix.

    Raises:
        OutputError: The operating system refused to write (full disk, no permission, ...).
    """
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(path)
    except KeyboardInterrupt:
        if interrupted is not None:
            beside.replace(interrupted)
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: could not be written ({reason}); free space or choose another place") from error
    finally:
        # After an error there may be nothing to remove, not even its folder; that error is the one to tell.
        with suppress(OSError):
            beside.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file, whole or not at all."""
    with written_beside(path) as beside:
        beside.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a file, whole or not at all; of a file name that is not UTF-8, the odd bytes as escapes."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value, indented, whole or not at all. NaN is written as null: JSON has no NaN."""
    write_text(path, json.dumps(_nan_as_none(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV that reads back as it was, whatever stands in a cell.

    `csv.writer` leaves a carriage return unquoted when lines end in a line feed, and then cannot read its own line.
    """
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in cell for cell in row if isinstance(cell, str)) else plain).writerow(row)
    return text.getvalue()


def _nan_as_none(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dict):
        return {key: _nan_as_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_as_none(item) for item in value]
    return value


def require_new_file(path: Path) -> None:
    """Refuse a file for results that is there already; worth asking before the work begins.

    Raises:
        OutputError: Something of this name exists.
    """
    if path.exists():
        raise OutputError(f"{path}: exists already and is never overwritten; choose another place or remove it")


def require_free_folder(path: Path) -> None:
    """Refuse a folder for results that holds something or could not be written; never overwrite, make nothing yet.

    The folder appears with the first result, so that a mistake noticed before leaves no empty folder behind.

    Raises:
        OutputError: The path exists and is not an empty folder that may be written in, or cannot be made.
    """
    try:
        # A link to nowhere does not exist for most purposes, but nothing can be made in its place.
        if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"{path}: exists already and is never overwritten; choose another place or remove it")
        nearest = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    except OSError as error:
        raise OutputError(f"{path}: folder could not be made ({error.strerror}); choose another place") from error
    if not nearest.is_dir():
        raise OutputError(f"{path}: folder could not be made ({nearest} is a file); choose another place")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: nothing may be written in {nearest}; choose another place")
