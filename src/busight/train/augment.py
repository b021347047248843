"""Augmentation on the device with Kornia: image and mask change in step."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from busight.train.settings import AugmentSettings


def build_augmentation(settings: AugmentSettings) -> nn.Module | None:
    """Build the augmentation of a recipe.

    Args:
        settings: What may change, and how far.

    Returns:
        A module that maps (image float32 (N, 1, H, W) in 0–1, mask float32 (N, 1, H, W)) to the same, or None where
        nothing may change. Geometry and blanking change both; grey values change in the image only.
    """
    from kornia import augmentation as ka

    steps: list[Any] = []
    if settings.flip:
        steps.append(ka.RandomHorizontalFlip(p=0.5))
    if settings.rotate_deg or settings.translate or settings.scale:
        steps.append(
            ka.RandomAffine(
                degrees=settings.rotate_deg,
                translate=(settings.translate, settings.translate),
                scale=(1 - settings.scale, 1 + settings.scale),
                p=1.0,
            )
        )
    if settings.brightness or settings.contrast:
        # ColorJitter multiplies brightness and stretches contrast about the mean; Kornia's RandomBrightness adds and
        # its RandomContrast multiplies.
        steps.append(ka.ColorJitter(brightness=settings.brightness, contrast=settings.contrast, p=1.0))
    if settings.gamma:
        steps.append(ka.RandomGamma((1 - settings.gamma, 1 + settings.gamma), p=1.0))
    if settings.noise:
        steps.append(ka.RandomGaussianNoise(std=settings.noise, p=0.5))
    if settings.erase:
        steps.append(ka.RandomErasing(scale=(0.02, 0.1), p=settings.erase))
    if not steps:
        return None
    return _WithMask(ka.AugmentationSequential(*steps, data_keys=["input", "mask"]))


class _WithMask(nn.Module):
    def __init__(self, sequence: nn.Module) -> None:
        super().__init__()
        self.sequence = sequence

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        changed, moved = self.sequence(image, mask)
        return changed.clamp(0, 1), moved
