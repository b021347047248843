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
from busight.metrics.surface import assd, hd95
from busight.types import Mask


def blobs(seed: int, share: float) -> tuple[Mask, Mask]:
    from scipy.ndimage import gaussian_filter

    fields = gaussian_filter(np.random.default_rng(seed).normal(size=(2, 31, 24)), (0, 2, 2))
    one, two = (field > np.quantile(field, 1 - share) for field in fields)
    return one, two


def test_two_lines_by_hand() -> None:
    one, two = np.zeros((2, 9, 12), bool)
    one[2], two[6] = True, True
    assert hd95(one, two) == assd(one, two) == 4
    assert hd95(one, two, (0.5, 9.0)) == 2
    two[6, 6:] = False
    # From the half line all pixels are 4 rows away, from the whole one half of them also up to 6 columns.
    there = np.hypot(4, [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6])
    assert hd95(one, two) == pytest.approx(np.percentile(there, 95))
    assert assd(one, two) == pytest.approx((there.sum() + 6 * 4) / 18)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges")  # MONAI's own call of its own old argument
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.02, 0.9), rows=st.floats(0.2, 3))
def test_equals_monai(seed: int, share: float, rows: float) -> None:
    one, two = blobs(seed, share)
    given_ = [torch.from_numpy(mask)[None, None] for mask in (one, two)]
    spacing = [rows, 0.7]
    far = compute_hausdorff_distance(*given_, include_background=True, percentile=95, spacing=spacing)
    mean = compute_average_surface_distance(*given_, include_background=True, symmetric=True, spacing=spacing)
    assert hd95(one, two, (rows, 0.7)) == pytest.approx(float(far), rel=1e-5)
    assert assd(one, two, (rows, 0.7)) == pytest.approx(float(mean), rel=1e-5)


def test_an_empty_mask_has_no_outline() -> None:
    empty, full = np.zeros((5, 6), bool), np.ones((5, 6), bool)
    assert np.isnan([hd95(empty, full), hd95(full, empty), assd(empty, empty)]).all()
    assert hd95(full, full) == 0
    with pytest.raises(DataError, match="bring both to the image's size"):
        hd95(full, full[:2])


def test_each_region_hits_one_lesion_at_most() -> None:
    annotated, predicted = np.zeros((2, 20, 40), bool)
    annotated[5:15, 5:15] = annotated[5:15, 20:30] = True
    predicted[5:15, 5:30] = True  # one region over both: IoU 0.4 with each
    assert detect(predicted, annotated) == Detection(annotated=2, true_positives=0, false_positives=1)
    predicted[:, 15:20] = False
    assert detect(predicted, annotated) == Detection(annotated=2, true_positives=2, false_positives=0)
    assert detect(np.zeros_like(annotated), annotated) == Detection(annotated=2, true_positives=0, false_positives=0)
    assert detect(predicted, np.zeros_like(annotated)) == Detection(annotated=0, true_positives=0, false_positives=2)
    half = np.zeros_like(annotated)
    half[5:10, 5:15] = True
    assert detect(half, annotated).true_positives == 1  # IoU of exactly 0.5
    assert detect(half, annotated, min_iou=0.51).true_positives == 0


def test_scores_of_a_mask_by_hand() -> None:
    annotated, predicted, empty = np.zeros((3, 10, 10), bool)
    annotated[2:6, 2:6], predicted[2:6, 2:4] = True, True
    both = score_mask(predicted, annotated, (0.5, 0.5))
    assert (both.pixel_recall, both.pixel_precision, both.iou) == (0.5, 1.0, 0.5)
    assert both.hd95_mm == both.hd95_px / 2
    assert (both.lesion_true_positives, both.lesion_false_positives, both.annotated_area_fraction) == (1, 0, 0.16)
    missed = score_mask(empty, annotated)
    assert (missed.dice, missed.pixel_recall, missed.lesion_true_positives, missed.lesion_false_positives) == (
        0,
        0,
        0,
        0,
    )
    assert np.isnan([missed.pixel_precision, missed.hd95_px, missed.assd_px]).all()
    normal = score_mask(predicted, empty)
    assert (normal.lesion_false_positives, normal.predicted_area_fraction, normal.annotated_area_fraction) == (
        1,
        0.08,
        0,
    )
    assert np.isnan([normal.dice, normal.pixel_precision, normal.lesions_annotated]).all()
    unknown = score_mask(predicted, None)
    assert unknown.predicted_area_fraction == 0.08
    assert np.isnan([unknown.dice, unknown.lesion_false_positives, unknown.annotated_area_fraction]).all()
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
    assert hd95(first, second, spacing) == pytest.approx(expected, rel=1e-12)
    assert assd(first, second, spacing) == pytest.approx(np.concatenate([there, back]).mean(), rel=1e-12)


def test_a_miss_counts_the_diagonal_only_where_it_is_to() -> None:
    lesion, nothing = np.zeros((30, 40), bool), np.zeros((30, 40), bool)
    lesion[5:9, 5:9] = True
    missed = score_mask(nothing, lesion, (0.2, 0.1))
    assert np.isnan([missed.hd95_px, missed.assd_px, missed.hd95_mm, missed.assd_mm]).all()
    assert (missed.hd95_px_with_misses, missed.assd_px_with_misses) == (50, 50)
    assert missed.hd95_mm_with_misses == pytest.approx(np.hypot(6, 4))
    found = score_mask(np.roll(lesion, 2, axis=1), lesion)
    assert found.hd95_px_with_misses == found.hd95_px > 0
    for spacing in ((0.0, 0.1), (-1.0, 1.0), (float("nan"), 0.1), (float("inf"), 1.0)):
        with pytest.raises(DataError, match="above 0 and finite"):
            score_mask(nothing, lesion, spacing)
