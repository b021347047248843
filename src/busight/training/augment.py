"""Augmentation on the device with Kornia: image and mask are transformed together."""

from __future__ import annotations

import math
from typing import Any

import torch
from kornia import augmentation as ka
from torch import Tensor, nn

from busight.training.settings import AugmentSettings


def build_augmentation(settings: AugmentSettings, mask_channel: bool = False) -> nn.Module | None:
    """Build the augmentation of a recipe.

    Args:
        settings: The recipe's ``train.augment`` section.
        mask_channel: The image's last channel is a mask: its geometry is transformed with the image, its values are
            not.

    Returns:
        A module that maps (image float32 (N, 1 or 3, H, W) in 0–1, mask float32 (N, 1, H, W)) to the same, or None
        without any augmentation. Geometry and erasing apply to both; changes of grey values to the image only.
    """
    steps = [*_geometry(settings), *_grey_steps(settings)]
    if settings.erase:
        steps.append(ka.RandomErasing(scale=(0.02, 0.1), p=settings.erase))
    if not steps:
        return None
    return _WithMask(ka.AugmentationSequential(*steps, data_keys=["input", "mask"]), mask_channel)


def _geometry(settings: AugmentSettings) -> list[Any]:
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
    if settings.aspect:
        stretch = (1 - settings.aspect, 1 + settings.aspect, 1.0, 1.0)
        steps.append(ka.RandomAffine(degrees=0.0, scale=stretch, p=1.0))
    return steps


def _grey_steps(settings: AugmentSettings) -> list[Any]:
    steps: list[Any] = []
    if settings.brightness or settings.contrast:
        # ColorJitter multiplies brightness and stretches contrast about the mean; Kornia's RandomBrightness adds and
        # its RandomContrast multiplies.
        steps.append(ka.ColorJitter(brightness=settings.brightness, contrast=settings.contrast, p=1.0))
    if settings.gamma:
        steps.append(ka.RandomGamma((1 - settings.gamma, 1 + settings.gamma), p=1.0))
    if settings.gain:
        steps.append(ka.RandomLinearIllumination(gain=(0.0, settings.gain), p=1.0))
    if settings.blur:
        side = 2 * math.ceil(2 * settings.blur) + 1  # two standard deviations on each side
        steps.append(ka.RandomGaussianBlur((side, side), (0.1, max(0.1, settings.blur)), p=0.5))
    if settings.speckle:
        steps.append(RandomSpeckle(std=settings.speckle, p=0.5))
    if settings.noise:
        steps.append(ka.RandomGaussianNoise(std=settings.noise, p=0.5))
    return steps


class RandomSpeckle(ka.RandomGaussianNoise):  # type: ignore[misc]
    """Kornia's Gaussian noise, but growing with the grey value: multiplied instead of added."""

    def apply_transform(self, input: Tensor, params: Any, flags: Any, transform: Any = None) -> Tensor:  # noqa: A002
        """Multiply a batch, float32 (N, 1, H, W), by 1 plus the noise drawn for it."""
        factors: Tensor = super().apply_transform(torch.ones_like(input), params, flags, transform)
        return input * factors


class _WithMask(nn.Module):
    def __init__(self, sequence: nn.Module, mask_channel: bool) -> None:
        super().__init__()
        self.sequence = sequence
        self.mask_channel = mask_channel

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        if not self.mask_channel:
            changed, moved = self.sequence(image, mask)
            return changed.clamp(0, 1), moved
        # The first channel alone is grey; the second is a copy of it.
        changed, moved = self.sequence(image[:, :1], torch.cat([mask, image[:, -1:]], dim=1))
        grey = changed.clamp(0, 1)
        return torch.cat([grey, grey, moved[:, 1:]], dim=1), moved[:, :1]
