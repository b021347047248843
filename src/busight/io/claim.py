"""Claims: a folder or file of results belongs to one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from busight.errors import OutputError
from busight.io.atomic import remove_parts, require_free_folder

try:
    import fcntl
except ImportError:  # Windows: only the exclusive creation is left
    fcntl = None  # type: ignore[assignment]

_TRIES = 100
"""Times that a folder is made anew because another process removed it."""


@contextmanager
def claimed_folder(path: Path, resume: bool = False) -> Iterator[None]:
    """Take a folder for results: until the block ends, no other process can.

    The folder is made at once, and removed with the parents that were made for it if nothing was written. The claim
    ends with the process, however that ends.

    Args:
        path: A new or empty folder; with ``resume`` that of an interrupted call.
        resume: Continue in the folder.

    Raises:
        OutputError: The folder is not free, cannot be made, or another process writes in it.
    """
    if not resume:
        require_free_folder(path)
    elif not path.is_dir():
        yield  # whoever resumes says what is missing
        return
    descriptor, made = _locked(path)
    try:
        if resume:
            remove_parts(path)
        else:
            require_free_folder(path)  # another process may have written it in the meantime
        yield
    finally:
        below = [Path(root) for root, _, _ in os.walk(path, topdown=False)] if not resume else []
        for folder in dict.fromkeys((*(folder for folder in below if folder != path), *made)):
            with suppress(OSError):
                folder.rmdir()  # refused where something was written
        os.close(descriptor)  # last: until here no other process takes what is removed


def _locked(path: Path) -> tuple[int, list[Path]]:
    """Make a folder where it is missing and lock it; return its descriptor, and the folders that were made.

    Between its making and its lock another process may have removed it, empty as it was: then it is made again. Whoever
    is refused removes nothing, as the folder belongs to another.

    Raises:
        OutputError: It cannot be made, or another process has locked it.
    """
    made: dict[Path, None] = {}
    for _ in range(_TRIES):
        made |= dict.fromkeys(folder for folder in (path, *path.parents) if not folder.exists())
        try:
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OutputError(f"{path}: folder could not be made ({error.strerror}); choose another place") from error
        try:
            _lock(descriptor, path)
        except OutputError:
            os.close(descriptor)
            raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor, list(made)
        os.close(descriptor)
    raise OutputError(f"{path}: folder is removed as soon as it is made; choose another place")


def lock_file(stream: IO[Any], path: Path) -> None:
    """Lock an open file until it is closed.

    Raises:
        OutputError: Another process has locked it.
    """
    _lock(stream.fileno(), path)


def _lock(descriptor: int, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"{path}: another process is writing there; wait for it, or choose another place") from error
    except OSError:
        return  # a file system without locks
