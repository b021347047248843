from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.audit.checked_dataset import check_dataset
from busight.data.sources.catalogue import load_data
from busight.errors import OutputError
from busight.experiments.networks import _relabelled
from busight.experiments.prepare import prepare
from busight.experiments.training_views import lesion_crop, lesion_free_crop, training_view, whole_view
from busight.io.progress import Silent
from busight.preprocess.pipeline import PreparedImage, Preprocess
from busight.recipes.load import load_recipe
from busight.strategies.views import InputSpec
from busight.training.prepared import PreparedSet
from busight.types import Roi


def prepared(folder: Path) -> PreparedSet:
    data = check_dataset(load_data("phantom:4,size=64"), Silent())
    ids = [sample.sample_id for sample in data.samples]
    return prepare(data, ids, Preprocess(), whole_view, InputSpec(64, False), None, folder, Silent())


def test_samples_become_rows(tmp_path: Path) -> None:
    data = load_data("phantom:4,size=64")
    found = prepared(tmp_path)
    for row, sample in enumerate(data.samples):
        np.testing.assert_array_equal(found.images[[row]][0], data.reader.image(sample))
        np.testing.assert_array_equal(found.masks[[row]][0], data.reader.mask(sample))
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


def test_local_views_to_train_on_hold_the_lesion_or_normal_tissue() -> None:
    rng = np.random.default_rng(0)
    view = training_view(0.25, rng)

    def choose(side: PreparedImage, mask: np.ndarray | None) -> Roi:
        return view(side, mask).roi

    image = Preprocess()(np.zeros((120, 160), np.uint8))
    drawn = np.zeros((120, 160), dtype=bool)
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
    assert choose(image, None) == image.box
    one = Preprocess()(np.zeros((1, 1), np.uint8))
    assert choose(one, np.zeros((1, 1), bool)) == choose(one, np.ones((1, 1), bool)) == one.box


@given(seed=st.integers(0, 2**31), top=st.integers(0, 50), left=st.integers(0, 60), side=st.integers(1, 40))
def test_a_lesion_crop_holds_the_lesion_and_a_lesion_free_one_nothing_of_it(
    seed: int, top: int, left: int, side: int
) -> None:
    rng = np.random.default_rng(seed)
    image = Preprocess()(rng.integers(0, 255, (96, 120), np.uint8))
    lesion = np.zeros((96, 120), bool)
    lesion[top : top + side, left : left + side] = True
    held = lesion_crop(rng)(image, lesion).roi
    assert held.cut(lesion).sum() == lesion.sum()
    assert 0 <= held.top < held.bottom <= 96
    assert 0 <= held.left < held.right <= 120
    free = lesion_free_crop(rng)(image, lesion).roi
    assert free == image.box or (not free.cut(lesion).any() and free.height <= 58 and free.width <= 72)
    assert lesion_free_crop(rng)(image, None).roi == lesion_crop(rng)(image, None).roi == image.box
    assert lesion_crop(rng)(image, np.zeros_like(lesion)).roi.height >= 57


def test_crops_beside_lesions_are_taught_as_normal(tmp_path: Path) -> None:
    recipe = load_recipe("joint", ["train.crops.lesion_free=0.5", "train.crops.lesion=0.25", "classify.size=32"])
    data = check_dataset(load_data("phantom:40,size=64"), Silent())
    ids = [sample.sample_id for sample in data.samples]
    for kind, n_normal in ((lesion_crop, 0), (lesion_free_crop, 20)):
        crops = prepare(
            data,
            ids,
            Preprocess(),
            kind(np.random.default_rng(0)),
            InputSpec(32, False),
            data.labels,
            tmp_path,
            Silent(),
        )
        relabelled = _relabelled(crops, recipe, data)
        became = (relabelled.targets == 0) & (crops.targets != 0)
        assert became.sum() >= n_normal
        assert (relabelled.targets[~became] == crops.targets[~became]).all()
        assert not relabelled.masks[np.flatnonzero(became)].any()
