from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from busight.model.model import PIXELS_AT_ONCE, batches
from busight.types import InputImage


@given(st.lists(st.integers(1, 3000), max_size=40), st.integers(1, 16))
def test_batches_keep_the_order_and_their_limits(sides: list[int], batch: int) -> None:
    # Views of one row: no memory is taken.
    images = [InputImage(np.broadcast_to(np.uint8(0), (side, side))) for side in sides]
    found = list(batches(images, batch))
    assert [image for group in found for image in group] == images
    for group in found:
        assert 1 <= len(group) <= batch
        n_pixels = sum(image.pixels.shape[0] * image.pixels.shape[1] for image in group)
        assert len(group) == 1 or n_pixels <= PIXELS_AT_ONCE
