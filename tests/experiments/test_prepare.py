from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from busight.data.sources.catalogue import load
from busight.errors import OutputError
from busight.experiments.prepare import prepare, training_region, whole_image
from busight.io.progress import Silent
from busight.preprocess.pipeline import Enhancement
from busight.train.prepared import PreparedSet


def prepared(folder: Path) -> PreparedSet:
    data = load("phantom:4,size=64")
    return prepare(data.samples, data.reader, Enhancement(), whole_image, 64, False, None, folder, Silent())


def test_samples_become_rows(tmp_path: Path) -> None:
    data = load("phantom:4,size=64")
    found = prepared(tmp_path)
    for row, sample in enumerate(data.samples):
        np.testing.assert_array_equal(found.images[[row]][0], data.reader.image(sample))
        np.testing.assert_array_equal(found.masks[[row]][0], data.reader.mask(sample))
        assert found.sample_ids[row] == sample.sample_id
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), found.images[range(4)])


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


def test_regions_to_train_the_second_look_hold_the_lesion_or_normal_tissue() -> None:
    rng = np.random.default_rng(0)
    choose = training_region(0.25, rng)
    image = np.zeros((120, 160), np.uint8)
    drawn = np.zeros(image.shape, dtype=bool)
    drawn[40:70, 60:100] = True
    boxes = {choose(image, drawn) for _ in range(200)}
    assert len(boxes) > 50
    for box in boxes:
        assert 0 <= box.top < box.bottom <= 120
        assert 0 <= box.left < box.right <= 160
        assert box.cut(drawn).sum() >= 0.9 * drawn.sum()
    for _ in range(50):
        box = choose(image, np.zeros_like(drawn))
        assert box.height == box.width
        assert 36 <= box.height <= 96
    assert choose(image, None) == whole_image(image)
    one = np.zeros((1, 1), np.uint8)
    assert choose(one, np.zeros((1, 1), bool)) == choose(one, np.ones((1, 1), bool)) == whole_image(one)
