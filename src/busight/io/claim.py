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
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{path}: folder could not be made ({error.strerror}); choose another place") from error
    try:
        _lock(descriptor, path)
        if resume:
            remove_parts(path)
        else:
            require_free_folder(path)  # another process may have written it in the meantime
        yield
    finally:
        os.close(descriptor)
        below = [Path(root) for root, _, _ in os.walk(path, topdown=False)] if not resume else []
        for folder in dict.fromkeys((*(folder for folder in below if folder != path), *made)):
            with suppress(OSError):
                folder.rmdir()  # refused where something was written


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
