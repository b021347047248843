from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import block_reduce

from busight.data.shrink import shrink, shrink_mask


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks(kind: type) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 240)).astype(kind)
    expected = block_reduce(image.astype(float), (2, 2), np.mean)
    found = shrink(image, 120)
    assert found.dtype == kind
    assert np.abs(found - expected).max() <= 0.5
    assert shrink(image, 240) is image


def test_colours_and_thin_images_keep_their_axes() -> None:
    assert shrink(np.zeros((300, 600, 3), np.uint8), 256).shape == (128, 256, 3)
    assert shrink(np.zeros((1, 600), np.uint8), 100).shape == (1, 100)
    assert shrink(np.zeros((600, 2, 1), np.uint8), 100).shape == (100, 1, 1)


def test_a_pixel_of_a_mask_is_lesion_when_half_of_its_area_is() -> None:
    mask = np.zeros((4, 4), dtype=bool)
    mask[:2, :3] = True  # blocks: whole, half, none, none
    np.testing.assert_array_equal(shrink_mask(mask, 2), [[True, True], [False, False]])
    assert shrink_mask(mask, 4) is mask
