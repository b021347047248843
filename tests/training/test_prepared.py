"""Batches hold what belongs together, in an order that depends on seed and epoch alone, and nothing else is read."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from busight.training.data_module import PreparedDataModule
from busight.training.prepared import (
    EpochShuffle,
    PreparedSet,
    Rows,
    concat,
    sampling_shares,
)
from busight.training.settings import Balance, TrainSettings


def numbered(first: int, n: int, channels: int = 1) -> PreparedSet:
    """Return images, masks and targets that all say which row they are of."""
    numbers = np.arange(first, first + n)
    images = np.broadcast_to(numbers[:, None, None, None], (n, 4, 4, channels)).astype(np.uint8)
    if channels == 3:
        images = images + np.array([0, 1, 2], np.uint8)
    masks = np.broadcast_to((numbers % 2)[:, None, None], (n, 4, 4)).astype(np.uint8)
    return PreparedSet(
        tuple(f"image {number}" for number in numbers),
        Rows([images if channels == 3 else images[..., 0]]),
        Rows([masks]),
        numbers % 3 == 0,
        numbers.astype(np.int64),
        numbers.astype(np.int64),
        numbers.astype(np.int64),
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("epoch", [0, 1])
def test_every_image_keeps_its_mask_and_its_target_in_a_shuffled_epoch(channels: int, epoch: int) -> None:
    train = numbered(10, 33, channels)
    data = PreparedDataModule(train, train, TrainSettings(batch=8, seed=5), epoch)
    order = []
    for images, masks, known, targets in data.train_dataloader():
        assert images.shape[1:] == (channels, 4, 4)
        assert masks.shape[1:] == (1, 4, 4)
        for image, mask, is_known, target in zip(images, masks, known, targets, strict=True):
            assert image[0].unique().tolist() == [target]
            assert image[-1].unique().tolist() == [target + channels - 1]
            assert mask.unique().tolist() == [target % 2]
            assert is_known == (target % 3 == 0)
        order += targets.tolist()
    # 33 images in batches of 8 leave one over, which has no variance.
    assert len(order) == len(set(order)) == 32
    assert order != sorted(order)


def test_validation_keeps_the_order_and_the_last_image() -> None:
    data = PreparedDataModule(numbered(20, 9), numbered(0, 9), TrainSettings(batch=2))
    batches = [batch[3] for batch in data.val_dataloader()]
    assert list(map(len, batches)) == [4, 4, 1]
    targets = torch.cat(batches)
    assert targets.tolist() == list(range(9))


def test_subsets_and_concatenations_keep_rows_together() -> None:
    whole, near = numbered(0, 6), numbered(100, 6)
    both = concat(whole.subset(["image 4", "image 1"]), near.select(np.array([5, 0, 0])))
    expected = [4, 1, 105, 100, 100]
    assert len(both) == 5
    assert both.sample_ids == tuple(f"image {number}" for number in expected)
    for values in (both.targets, both.sources, both.label_ids, both.images[range(5)][:, 0, 0]):
        assert values.tolist() == expected
    assert both.masks[range(5)][:, 3, 3].tolist() == [number % 2 for number in expected]
    assert both.mask_known.tolist() == [number % 3 == 0 for number in expected]
    assert both.images[[3, 0]][:, 0, 0].tolist() == [100, 4]


def test_maps_stay_maps_until_a_batch_is_read(tmp_path: Path) -> None:
    arrays = []
    for number in (1, 2):
        path = tmp_path / f"{number}.npy"
        np.save(path, np.full((50, 8, 8), number, np.uint8))
        arrays.append(np.load(path, mmap_mode="r"))
    rows = Rows(arrays[:1]).select(np.arange(40)).followed_by(Rows(arrays[1:]))
    assert all(given is kept for given, kept in zip(arrays, rows.arrays, strict=True))
    batch = rows[[39, 40, 89]]
    assert not isinstance(batch, np.memmap)
    assert batch[:, 0, 0].tolist() == [1, 2, 2]


def test_maps_go_to_another_process_as_files_and_arrays_as_they_are(tmp_path: Path) -> None:
    content = np.arange(100 * 64, dtype=np.uint8).reshape(100, 8, 8)
    np.save(tmp_path / "images.npy", content)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for arrays, is_small in (([mapped], True), ([mapped[10:]], False), ([content], False)):
        rows = Rows(arrays).select(np.array([7, 3]))
        sent = pickle.dumps(rows)
        assert (len(sent) < 1000) == is_small
        np.testing.assert_array_equal(pickle.loads(sent)[[0, 1]], rows[[0, 1]])


def large_and_small() -> PreparedSet:
    """600 images of a large set with two classes, 60 of a small one with three."""
    label_ids = np.array([1] * 500 + [2] * 100 + [0] * 10 + [1] * 30 + [2] * 20)
    sources = np.array([7] * 600 + [99] * 60)
    images = Rows([np.zeros((660, 2, 2), np.uint8)])
    ids = tuple(map(str, range(660)))
    return PreparedSet(ids, images, images, np.zeros(660, np.bool_), np.full(660, -1), sources, label_ids)


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("source", {7: 1 / 2, 99: 1 / 2}),
        ("class", {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}),
        ("source-class", {(7, 1): 1 / 5, (7, 2): 1 / 5, (99, 0): 1 / 5, (99, 1): 1 / 5, (99, 2): 1 / 5}),
    ],
)
def test_every_stratum_is_drawn_equally_often(balance: Balance, expected: dict[object, float]) -> None:
    given = large_and_small()
    shares = sampling_shares(given, balance)
    assert shares is not None
    assert shares.sum() == pytest.approx(1)
    sampler = EpochShuffle(len(given), 2, 3, shares)
    drawn: Counter[object] = Counter()
    for epoch in range(40):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert order == list(sampler)  # the same whenever the epoch is begun again
        assert len(order) == 660
        for index in order:
            source, target = int(given.sources[index]), int(given.label_ids[index])
            drawn[{"source": source, "class": target, "source-class": (source, target)}[balance]] += 1
    assert set(drawn) == set(expected)
    for stratum, share in expected.items():
        assert drawn[stratum] / drawn.total() == pytest.approx(share, abs=0.02)


def test_without_balance_each_image_comes_once() -> None:
    assert sampling_shares(large_and_small(), "none") is None
    assert sorted(EpochShuffle(50, 2, 1)) == list(range(50))


def test_each_image_is_drawn_once_an_epoch_in_one_of_its_views() -> None:
    sampler = EpochShuffle(400, 2, 1, views=(0.5, 0.2, 0.3))
    drawn = np.array(list(sampler))
    assert sorted(drawn % 400) == list(range(400))
    shares = np.bincount(drawn // 400) / 400
    assert shares == pytest.approx([0.5, 0.2, 0.3], abs=0.08)
    assert list(sampler) == drawn.tolist()
    sampler.set_epoch(1)
    assert list(sampler) != drawn.tolist()
