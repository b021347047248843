from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from busight.train.losses import batch_dice, class_loss, mask_loss
from busight.train.prepared import class_weights


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
