from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from busight.data.sources import load
from busight.errors import OutputError
from busight.pipeline.prepare import PreparedSet, prepare, whole_image
from busight.pipeline.progress import Silent


def prepared(folder: Path) -> PreparedSet:
    data = load("phantom:4,size=64")
    return prepare(data.samples, data.reader, (), whole_image, 64, False, None, folder, Silent())


def test_samples_become_rows(tmp_path: Path) -> None:
    data = load("phantom:4,size=64")
    found = prepared(tmp_path)
    for row, sample in enumerate(data.samples):
        np.testing.assert_array_equal(found.images[row], data.reader.image(sample))
        np.testing.assert_array_equal(found.masks[row], data.reader.mask(sample))
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), found.images)


@pytest.mark.skipif(os.name != "posix", reason="blocks of a file are POSIX")
def test_the_space_is_taken_before_it_is_mapped(tmp_path: Path) -> None:
    """A sparse file on a disk that fills up would end the process with a bus error instead of one line."""
    prepared(tmp_path)
    for name in ("images.npy", "masks.npy"):
        held = (tmp_path / name).stat()
        assert held.st_blocks * 512 >= held.st_size


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "images.npy").mkdir()
    with pytest.raises(OutputError, match=r"images\.npy: could not be written \(Is a directory\); free space"):
        prepared(tmp_path)
