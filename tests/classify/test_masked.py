from __future__ import annotations

import numpy as np
import pytest

from busight.classify.masked import input_channels, with_mask

IMAGE = np.array([[10, 20], [30, 40]], np.uint8)
MASK = np.array([[True, False], [False, True]])


def test_masked_is_the_picture_times_the_mask() -> None:
    assert with_mask("masked", IMAGE, MASK).tolist() == [[10, 0], [0, 40]]
    colour = np.repeat(IMAGE[..., None], 3, axis=-1)
    assert with_mask("masked", colour, MASK)[..., 1].tolist() == [[10, 0], [0, 40]]
    assert with_mask("masked", IMAGE, MASK & False).max() == 0


def test_a_mask_channel_comes_third() -> None:
    seen = with_mask("mask-channel", IMAGE, MASK)
    assert seen.shape == (2, 2, input_channels("mask-channel", 1))
    np.testing.assert_array_equal(seen[..., 0], IMAGE)
    np.testing.assert_array_equal(seen[..., 1], IMAGE)
    assert seen[..., 2].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("use", ["two-stage", "joint", "zoom", "whole"])
def test_other_uses_leave_the_picture_alone(use: str) -> None:
    assert with_mask(use, IMAGE, MASK) is IMAGE  # type: ignore[arg-type]
    assert input_channels(use, 3) == 3  # type: ignore[arg-type]
