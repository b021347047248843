from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import label, regionprops

from busight.model.lesion_table import lesions_of


def test_lesions_by_hand_in_the_files_pixels() -> None:
    mask = np.zeros((10, 20), bool)
    mask[1:3, 2:6] = True
    mask[7, 18] = mask[8, 19] = True  # touching at a corner: one lesion
    probs = np.where(mask, np.float32(0.75), np.float32(0))
    probs[1, 2:6] = 0.25
    large, small = lesions_of(mask, probs, origin=(100, 1000))
    assert (large.area_px, large.area_share, large.box) == (8, 0.04, (1002, 101, 4, 2))
    assert large.centre == (1003.5, 101.5)
    assert large.mean_prob == 0.5
    assert (small.area_px, small.box, small.centre, small.mean_prob) == (2, (1018, 107, 2, 2), (1018.5, 107.5), 0.75)


def test_lesions_equal_scikit_images_regions() -> None:
    rng = np.random.default_rng(0)
    mask = np.kron(rng.random((12, 15)) > 0.75, np.ones((3, 2))) > 0
    probs = rng.random(mask.shape).astype(np.float32)
    expected = {
        (region.bbox[1], region.bbox[0], region.area, *region.centroid, float(region.intensity_mean))
        for region in regionprops(label(mask, connectivity=2), probs)
    }
    found = lesions_of(mask, probs)
    assert len(found) == len(expected) > 5
    assert [lesion.area_px for lesion in found] == sorted((lesion.area_px for lesion in found), reverse=True)
    rows = {(x.box[0], x.box[1], x.area_px, x.centre[1], x.centre[0], x.mean_prob) for x in found}
    np.testing.assert_allclose(sorted(rows), sorted(expected), rtol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), (1, 1)])
def test_an_empty_mask_has_no_lesion(shape: tuple[int, int]) -> None:
    assert lesions_of(np.zeros(shape, bool), None) == []
