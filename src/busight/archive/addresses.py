"""Files by address: paths, and what fsspec reaches (``s3://``, ``gs://``, ``file://`` ...)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from busight.errors import BusightError, DataError, MissingExtraError
from busight.io.cores import in_threads

_TRIES = 3
_AHEAD = 8
"""Objects fetched while others are predicted: an object store answers in tens of milliseconds."""


def is_remote(address: str) -> bool:
    """Return whether an address is one of fsspec's and not a path.

    Example:
        >>> is_remote("s3://archive/a.png"), is_remote("archive/a.png")
        (True, False)
    """
    return "://" in address


def file_system(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of an address, and the path within it.

    Raises:
        MissingExtraError: The library of this storage is not installed.
        DataError: There is no such storage, or it refuses.
    """
    from fsspec.core import url_to_fs

    with storage_errors(address):
        system, path = url_to_fs(address)
        return system, str(path)


@contextmanager
def storage_errors(address: str) -> Iterator[None]:
    """Turn what a storage raises into one line.

    Raises:
        MissingExtraError: The library of this storage is not installed.
        DataError: There is no such storage, or it refuses.
    """
    try:
        yield
    except BusightError:
        raise
    except ImportError as error:
        raise MissingExtraError(f"{address}: {str(error).rstrip('.')}; pip install the library it names") from error
    except Exception as error:
        # Every storage has errors of its own, and they share no class.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{address}: the storage refuses ({reason}); check the address, the credentials and the network"
        ) from error


def contents(addresses: Sequence[str]) -> Iterator[bytes | None]:
    """Return the content of each object in order, a few fetched ahead; None for an object that is not there.

    Raises:
        DataError: The storage refused three times. An image is not called unreadable for that.
    """
    return in_threads(_content, addresses, threads=_AHEAD, ahead=1)


def _content(address: str) -> bytes | None:
    system, path = file_system(address)
    for number in range(1, _TRIES + 1):
        try:
            with storage_errors(address):
                return bytes(system.cat_file(path))
        except DataError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            if number == _TRIES:
                raise
            time.sleep(number)
    raise AssertionError("the last try returns or raises")
