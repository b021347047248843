from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

from busight.errors import DataError
from busight.metrics.detection import Detection, detect
from busight.metrics.mask_scores import score_mask
from busight.metrics.surface import hausdorff_95, surface_distance
from busight.types import Mask


def blobs(seed: int, share: float) -> tuple[Mask, Mask]:
    from scipy.ndimage import gaussian_filter

    fields = gaussian_filter(np.random.default_rng(seed).normal(size=(2, 31, 24)), (0, 2, 2))
    one, two = (field > np.quantile(field, 1 - share) for field in fields)
    return one, two


def test_two_lines_by_hand() -> None:
    one, two = np.zeros((2, 9, 12), bool)
    one[2], two[6] = True, True
    assert hausdorff_95(one, two) == surface_distance(one, two) == 4
    assert hausdorff_95(one, two, (0.5, 9.0)) == 2
    two[6, 6:] = False
    # From the half line all pixels are 4 rows away, from the whole one half of them also up to 6 columns.
    there = np.hypot(4, [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6])
    assert hausdorff_95(one, two) == pytest.approx(np.percentile(there, 95))
    assert surface_distance(one, two) == pytest.approx((there.sum() + 6 * 4) / 18)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges")  # MONAI's own call of its own old argument
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.02, 0.9), rows=st.floats(0.2, 3))
def test_equals_monai(seed: int, share: float, rows: float) -> None:
    one, two = blobs(seed, share)
    given_ = [torch.from_numpy(mask)[None, None] for mask in (one, two)]
    spacing = [rows, 0.7]
    far = compute_hausdorff_distance(*given_, include_background=True, percentile=95, spacing=spacing)
    mean = compute_average_surface_distance(*given_, include_background=True, symmetric=True, spacing=spacing)
    assert hausdorff_95(one, two, (rows, 0.7)) == pytest.approx(float(far), rel=1e-5)
    assert surface_distance(one, two, (rows, 0.7)) == pytest.approx(float(mean), rel=1e-5)


def test_an_empty_mask_has_no_outline() -> None:
    empty, full = np.zeros((5, 6), bool), np.ones((5, 6), bool)
    assert np.isnan([hausdorff_95(empty, full), hausdorff_95(full, empty), surface_distance(empty, empty)]).all()
    assert hausdorff_95(full, full) == 0
    with pytest.raises(DataError, match="bring both to the image's size"):
        hausdorff_95(full, full[:2])


def test_each_mark_finds_one_lesion_at_most() -> None:
    drawn, predicted = np.zeros((2, 20, 40), bool)
    drawn[5:15, 5:15] = drawn[5:15, 20:30] = True
    predicted[5:15, 5:30] = True  # one mark over both: IoU 0.4 with each
    assert detect(predicted, drawn) == Detection(drawn=2, found=0, false_marks=1)
    predicted[:, 15:20] = False
    assert detect(predicted, drawn) == Detection(drawn=2, found=2, false_marks=0)
    assert detect(np.zeros_like(drawn), drawn) == Detection(drawn=2, found=0, false_marks=0)
    assert detect(predicted, np.zeros_like(drawn)) == Detection(drawn=0, found=0, false_marks=2)
    half = np.zeros_like(drawn)
    half[5:10, 5:15] = True
    assert detect(half, drawn).found == 1  # IoU of exactly 0.5
    assert detect(half, drawn, least_iou=0.51).found == 0


def test_what_a_mask_is_scored_by() -> None:
    drawn, predicted, empty = np.zeros((3, 10, 10), bool)
    drawn[2:6, 2:6], predicted[2:6, 2:4] = True, True
    both = score_mask(predicted, drawn, (0.5, 0.5))
    assert (both.pixel_sensitivity, both.pixel_precision, both.iou) == (0.5, 1.0, 0.5)
    assert both.hausdorff_95_mm == both.hausdorff_95_px / 2
    assert (both.lesions_found, both.false_marks, both.true_area_share) == (1, 0, 0.16)
    missed = score_mask(empty, drawn)
    assert (missed.dice, missed.pixel_sensitivity, missed.lesions_found, missed.false_marks) == (0, 0, 0, 0)
    assert np.isnan([missed.pixel_precision, missed.hausdorff_95_px, missed.surface_distance_px]).all()
    normal = score_mask(predicted, empty)
    assert (normal.false_marks, normal.predicted_area_share, normal.true_area_share) == (1, 0.08, 0)
    assert np.isnan([normal.dice, normal.pixel_precision, normal.lesions_drawn]).all()
    unknown = score_mask(predicted, None)
    assert unknown.predicted_area_share == 0.08
    assert np.isnan([unknown.dice, unknown.false_marks, unknown.true_area_share]).all()
    assert np.isnan(score_mask(None, None).values).all()


@pytest.mark.parametrize("seed", range(6))
def test_equals_scipys_distance_transform(seed: int) -> None:
    from scipy.ndimage import binary_erosion, distance_transform_edt

    rng = np.random.default_rng(seed)
    first, second = (rng.random((23, 31)) < share for share in (0.6, 0.3))
    spacing = (0.21, 0.34)
    outlines = [mask & ~binary_erosion(mask) for mask in (first, second)]
    there, back = (distance_transform_edt(~other, sampling=spacing)[own] for own, other in (outlines, outlines[::-1]))
    expected = max(np.percentile(there, 95), np.percentile(back, 95))
    assert hausdorff_95(first, second, spacing) == pytest.approx(expected, rel=1e-12)
    assert surface_distance(first, second, spacing) == pytest.approx(np.concatenate([there, back]).mean(), rel=1e-12)
