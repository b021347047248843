from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from busight.train.prepared import EpochShuffle, PreparedPart, sampling_shares
from busight.train.settings import Balance


def part() -> PreparedPart:
    """600 images of a large set with two classes, 60 of a small one with three."""
    targets = np.array([1] * 500 + [2] * 100 + [0] * 10 + [1] * 30 + [2] * 20)
    sources = np.array([7] * 600 + [99] * 60)
    images = np.zeros((660, 2, 2), np.uint8)
    return PreparedPart(images, images, np.zeros(660, np.bool_), np.full(660, -1), sources, targets)


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("source", {7: 1 / 2, 99: 1 / 2}),
        ("class", {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}),
        ("source-class", {(7, 1): 1 / 5, (7, 2): 1 / 5, (99, 0): 1 / 5, (99, 1): 1 / 5, (99, 2): 1 / 5}),
    ],
)
def test_every_stratum_is_drawn_equally_often(balance: Balance, expected: dict[object, float]) -> None:
    given = part()
    shares = sampling_shares(given, balance)
    assert shares is not None
    assert shares.sum() == pytest.approx(1)
    sampler = EpochShuffle(len(given.targets), 3, shares)
    drawn: Counter[object] = Counter()
    for epoch in range(40):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert order == list(sampler)  # the same whenever the epoch is begun again
        assert len(order) == 660
        for index in order:
            source, target = int(given.sources[index]), int(given.findings[index])
            drawn[{"source": source, "class": target, "source-class": (source, target)}[balance]] += 1
    assert set(drawn) == set(expected)
    for stratum, share in expected.items():
        assert drawn[stratum] / drawn.total() == pytest.approx(share, abs=0.02)


def test_without_balance_each_image_comes_once() -> None:
    assert sampling_shares(part(), "none") is None
    assert sorted(EpochShuffle(50, 1)) == list(range(50))
