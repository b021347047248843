from __future__ import annotations

import pytest
import torch

from busight.training.augment import build_augmentation
from busight.training.settings import AugmentSettings

GEOMETRY = AugmentSettings(flip=True, rotate_deg=20, translate=0.2, scale=0.2)
GREY = AugmentSettings(brightness=0.3, contrast=0.3, gamma=0.3, noise=0.05)


def squares(n: int = 8) -> torch.Tensor:
    pictures = torch.zeros(n, 1, 64, 64)
    pictures[:, :, 12:30, 20:44] = 1
    return pictures


def test_nothing_asked_is_nothing_built() -> None:
    assert build_augmentation(AugmentSettings()) is None


def test_the_mask_moves_in_step_with_the_image() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(GEOMETRY)
    assert augment is not None
    images, masks = augment(squares(), squares())
    # Image and mask were the same picture: after the same geometry they still agree but for interpolation at edges.
    assert ((images > 0.5) == (masks > 0.5)).float().mean() > 0.98
    assert (images - squares()).abs().mean() > 0.01, "nothing moved"
    assert set(masks.unique().tolist()) <= {0.0, 1.0}


def test_grey_changes_leave_the_mask_alone() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(GREY)
    assert augment is not None
    images = torch.rand(8, 1, 32, 32)
    changed, masks = augment(images, squares()[:, :, :32, :32])
    assert torch.equal(masks, squares()[:, :, :32, :32])
    assert (changed - images).abs().mean() > 0.01
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_mask_channel_moves_with_the_image_and_keeps_its_values() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(flip=True, translate=0.2, brightness=0.5, gamma=0.4), True)
    assert augment is not None
    images, masks = augment(torch.cat([squares() * 0.5, squares() * 0.5, squares()], dim=1), squares())
    assert torch.equal(images[:, 2:], masks)
    assert torch.equal(images[:, 0], images[:, 1])
    assert (masks != squares()).any(), "nothing moved"
    assert (images[:, 0] - 0.5 * masks[:, 0]).abs().max() > 0.1, "no grey value changed"


def test_brightness_is_relative_as_its_docstring_says() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(brightness=0.2))
    assert augment is not None
    images = torch.full((64, 1, 8, 8), 0.5)
    factors = augment(images, images)[0].mean(dim=(1, 2, 3)) / 0.5
    assert factors.min() == pytest.approx(0.8, abs=0.03)
    assert factors.max() == pytest.approx(1.2, abs=0.03)


def test_contrast_keeps_the_mean_as_its_docstring_says() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(contrast=0.2))
    assert augment is not None
    images = torch.rand(32, 1, 32, 32) * 0.4 + 0.3
    changed = augment(images, images)[0]
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=0.01, rtol=0)
    spread = changed.std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3))
    assert spread.min() < 0.9
    assert spread.max() > 1.1


def test_aspect_stretches_the_width_alone() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(aspect=0.4))
    assert augment is not None
    images, masks = augment(squares(64), squares(64))
    assert ((images > 0.5) == (masks > 0.5)).float().mean() > 0.98
    heights = masks.amax(dim=3).sum(dim=(1, 2))
    widths = masks.amax(dim=2).sum(dim=(1, 2))
    assert heights.min() >= 17  # 18 rows, but for interpolation
    assert heights.max() <= 19
    assert widths.min() < 24 * 0.75
    assert widths.max() > 24 * 1.25


def test_gain_brightens_or_darkens_towards_one_edge() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(gain=0.2))
    assert augment is not None
    images = torch.full((64, 1, 16, 16), 0.5)
    change = augment(images, images)[0] - images
    assert change.abs().amax(dim=(1, 2, 3)).max() <= 0.2
    assert change.abs().amax(dim=(1, 2, 3)).max() > 0.15
    assert change.abs().amin(dim=(1, 2, 3)).max() < 1e-6  # none at the other edge
    assert (change.mean(dim=(1, 2, 3)) > 0).any()
    assert (change.mean(dim=(1, 2, 3)) < 0).any()


def test_blur_takes_detail_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(blur=2.0))
    assert augment is not None
    images = torch.rand(32, 1, 32, 32)
    changed = augment(images, images)[0]
    assert changed.std(dim=(1, 2, 3)).min() < 0.5 * images.std()
    torch.testing.assert_close(changed.mean(), images.mean(), atol=0.01, rtol=0)


def test_speckle_grows_with_the_grey_value() -> None:
    torch.manual_seed(0)
    augment = build_augmentation(AugmentSettings(speckle=0.1))
    assert augment is not None
    images = torch.cat([torch.full((64, 1, 32, 16), 0.1), torch.full((64, 1, 32, 16), 0.5)], dim=3)
    changed = augment(images, images)[0]
    touched = changed.std(dim=(1, 2, 3)) > images[0].std() + 1e-6
    dark, bright = changed[touched, :, :, :16].std(), changed[touched, :, :, 16:].std()
    assert 0 < touched.sum() < 64  # half of the images, by chance
    assert bright == pytest.approx(0.05, rel=0.05)
    assert dark == pytest.approx(0.01, rel=0.05)
