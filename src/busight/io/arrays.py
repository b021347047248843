"""Archives of arrays (``.npz``), read without surprises: no pickles, and no more memory than stated."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 256 * 1024**2
"""Bytes of all arrays together: ten times the features of 20,000 training images."""


_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_arrays(path: Path, most: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """Read every array of an archive.

    Args:
        path: The file.
        most: Largest size of all arrays in bytes, by what the archive states; it is checked before any is read.

    Raises:
        OSError: The file cannot be read.
        ValueError: No archive of arrays, damaged, or too large; the message says which.
    """
    try:
        # Opened here: NumPy leaves a broken archive open.
        with path.open("rb") as stream:
            with zipfile.ZipFile(stream) as archive:
                size = sum(member.file_size for member in archive.infolist())
                if size > most:
                    raise ValueError(f"arrays of {size / 1e6:.0f} MB, at most {most / 1e6:.0f} MB are read")
                for member in archive.infolist():
                    with archive.open(member) as content:
                        _require_values(content, member)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as saved:
                return {name: saved[name] for name in saved.files}
    except (EOFError, KeyError, TypeError, AttributeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ValueError("no archive of arrays") from error


def _require_values(content: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raise for an array whose own header states more values than the archive holds: NumPy would make room for them."""
    header = _HEADERS.get(np.lib.format.read_magic(content))
    if header is None:
        raise ValueError("no archive of arrays")
    shape, _, dtype = header(content)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise ValueError(f"{member.filename} ends before the last of the values that it states")
