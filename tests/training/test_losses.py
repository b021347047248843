from __future__ import annotations

import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from sklearn.utils.class_weight import compute_class_weight

from busight.training.losses import (
    MASK_OBJECTIVES,
    batch_dice,
    bce_dice,
    boundary,
    class_loss,
    focal_tversky,
    mask_loss,
    signed_distances,
    soft_dice,
)
from busight.training.prepared import class_weights
from busight.training.settings import MaskObjective


def test_class_loss_by_hand_and_without_labels() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]))
    expected = -(math.log(0.5) + math.log(0.8)) / 2
    # The third image has no label: a missing label is not a negative one.
    found = class_loss(logits, torch.tensor([0, 1, -1]), None, 0.0)
    assert float(found) == pytest.approx(expected)


def test_mask_loss_by_hand() -> None:
    masks = torch.tensor([[[[1.0, 0.0]]]])
    logits = torch.zeros(1, 1, 1, 2)
    # Probability 1/2 everywhere: cross-entropy log 2; Dice 2 * 0.5 / (1 + 1) = 0.5.
    found = mask_loss(logits, masks, torch.tensor([True]))
    assert float(found) == pytest.approx(math.log(2) + 0.5)


def test_focal_tversky_by_hand() -> None:
    masks = torch.tensor([[[[1.0, 1.0, 0.0]]]])
    logits = torch.logit(torch.tensor([[[[0.8, 0.5, 0.25]]]]))
    # Found 1.3 of 2 lesion pixels, 0.7 missed, 0.25 marked falsely.
    tversky = 1.3 / (1.3 + 0.7 * 0.7 + 0.3 * 0.25)
    assert float(focal_tversky(logits, masks)) == pytest.approx((1 - tversky) ** 0.75, rel=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_losses_equal_those_of_the_libraries() -> None:
    from monai import losses as monai

    torch.manual_seed(1)
    logits = torch.randn(4, 1, 9, 11)
    masks = (torch.rand(4, 1, 9, 11) > 0.7).float()
    masks[2] = 0
    dice = float(soft_dice(logits, masks))
    assert dice == pytest.approx(float(smp.losses.DiceLoss("binary")(logits, masks)), rel=1e-5)
    whole_batch = {"sigmoid": True, "smooth_nr": 0, "smooth_dr": 0, "batch": True}
    assert dice == pytest.approx(float(monai.DiceLoss(**whole_batch)(logits, masks)), rel=1e-5)
    tversky = monai.TverskyLoss(alpha=0.3, beta=0.7, **whole_batch)(logits, masks)
    assert float(focal_tversky(logits, masks)) == pytest.approx(float(tversky) ** 0.75, rel=1e-5)
    # MONAI counts pixels, and inside the lesion from its outermost pixels instead of from the background.
    distances = monai.BoundaryLoss().compute_distance_map(masks) - masks
    expected = torch.sigmoid(logits).mul(distances).mean() / math.hypot(9, 11)
    assert float(boundary(logits, masks) - bce_dice(logits, masks)) == pytest.approx(float(expected), rel=1e-4)


def test_the_boundary_loss_counts_distances() -> None:
    mask = torch.zeros(1, 1, 1, 6)
    mask[..., 2:4] = 1
    # Outside 2, 1 and 1, 2 pixels from the lesion, inside 1 from the background; the diagonal is sqrt(37).
    expected = np.array([2, 1, -1, -1, 1, 2]) / math.sqrt(37)
    np.testing.assert_allclose(signed_distances(mask[0].numpy() > 0)[0, 0], expected, rtol=1e-6)
    marked = torch.tensor([[[[-30.0, 30.0, 30.0, 30.0, -30.0, -30.0]]]])
    found = boundary(marked, mask) - mask_loss(marked, mask, torch.tensor([True]))
    assert float(found) == pytest.approx((1 - 1 - 1) / math.sqrt(37) / 6, abs=1e-6)
    assert not signed_distances(np.zeros((2, 3, 4), bool)).any()


@pytest.mark.parametrize("objective", MASK_OBJECTIVES)
def test_every_mask_loss_is_least_where_the_mask_is_right(objective: MaskObjective) -> None:
    masks = torch.zeros(3, 1, 12, 12)
    masks[0, 0, 3:9, 2:8] = masks[1, 0, 5:7, 5:7] = 1
    known = torch.tensor([True, True, True])
    logits = torch.zeros(3, 1, 12, 12, requires_grad=True)
    start = mask_loss(logits, masks, known, objective)
    start.backward()
    right, wrong = (float(mask_loss(sign * 20 * (2 * masks - 1), masks, known, objective)) for sign in (1, -1))
    assert right < float(start.detach()) < wrong
    assert logits.grad is not None
    # A step downhill raises what is lesion and lowers what is not.
    assert (logits.grad[masks > 0] < 0).all()
    assert (logits.grad[2] >= 0).all()
    perfect = (40 * (2 * masks - 1)).requires_grad_()
    mask_loss(perfect, masks, known, objective).backward()
    assert perfect.grad is not None
    assert torch.isfinite(perfect.grad).all(), "the slope of a perfect answer is a number"


def test_images_with_unknown_outline_do_not_count() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 1, 8, 8, requires_grad=True)
    masks = (torch.rand(3, 1, 8, 8) > 0.5).float()
    known = torch.tensor([True, False, True])
    mask_loss(logits, masks, known).backward()
    assert logits.grad is not None
    assert not logits.grad[1].any()
    assert logits.grad[0].any()
    assert float(mask_loss(logits, masks, torch.tensor([False] * 3)).detach()) == 0


def test_batch_dice_by_hand_and_without_lesion() -> None:
    masks = torch.zeros(2, 1, 1, 4)
    masks[0, 0, 0, :2] = 1
    logits = torch.tensor([[[[1.0, -1.0, 1.0, -1.0]]], [[[1.0, 1.0, 1.0, 1.0]]]])
    # One of two found, one false: 2 * 1 / (2 + 2). The second image has no lesion and no Dice.
    assert batch_dice(logits, masks).tolist() == [0.5]


def test_class_weights_are_scikit_learns_balanced_ones() -> None:
    targets = np.array([0] * 7 + [1] * 2 + [2] * 4)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(class_weights(targets, 3).numpy(), expected, rtol=1e-6)
    assert class_weights([0, 0, 2, -1], 3)[1] == 0
