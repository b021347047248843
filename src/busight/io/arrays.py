"""Archives of arrays (``.npz``), read without surprises: no pickles, and no more memory than stated."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 256 * 1024**2
"""Bytes of all arrays together: ten times the features of 20,000 training images."""


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
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as saved:
                return {name: saved[name] for name in saved.files}
    except (EOFError, KeyError, TypeError, AttributeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ValueError("no archive of arrays") from error
