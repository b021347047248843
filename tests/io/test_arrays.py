"""Archives of arrays take no more memory than they state, and are refused in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from busight.io.arrays import read_arrays


def archive(path: Path, shape: tuple[int, ...], content: bytes) -> Path:
    """Write an archive of one array whose header states a shape of float32, whatever follows it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("features.npy", stream.getvalue() + content)
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    given = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(["x", "yy"])}
    np.savez_compressed(tmp_path / "a.npz", **given)
    found = read_arrays(tmp_path / "a.npz")
    assert found.keys() == given.keys()
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)


def test_more_values_than_the_archive_holds_are_refused_before_they_get_memory(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", (2**40, 8), bytes(64))
    with pytest.raises(ValueError, match=r"features\.npy ends before the last of the values that it states"):
        read_arrays(path)


def test_arrays_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", (1000,), bytes(4000))
    with pytest.raises(ValueError, match="arrays of 0 MB, at most 0 MB are read"):
        read_arrays(path, most=4000)
    assert len(read_arrays(path)["features"]) == 1000
