"""Attention gates on a U-Net's skip connections, controlled by the coarser decoder features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AttentionGate(nn.Module):
    """Attention gate: a skip connection weighted by an attention map of the coarser features.

    Source:
        Oktay et al., Attention U-Net: learning where to look for the pancreas, MIDL 2018, eq. 1 and 2.
    """

    def __init__(self, coarse: int, skip: int) -> None:
        super().__init__()
        between = max(skip // 2, 4)
        self.of_coarse = nn.Conv2d(coarse, between, 1)
        self.of_skip = nn.Conv2d(skip, between, 1, bias=False)
        self.to_weight = nn.Conv2d(between, 1, 1)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Return the skip connection (N, C, H, W), each position times a weight in 0–1.

        Args:
            coarse: (N, D, h, w) of the previous decoder step.
            skip: (N, C, H, W) of the encoder.
        """
        wanted = F.interpolate(self.of_coarse(coarse), size=skip.shape[2:], mode="bilinear", align_corners=False)
        return skip * torch.sigmoid(self.to_weight(F.relu(wanted + self.of_skip(skip))))


class _Gated(nn.Module):
    """A decoder block of the library with an attention gate before it."""

    def __init__(self, block: nn.Module, gate: AttentionGate) -> None:
        super().__init__()
        self.block = block
        self.gate = gate

    def forward(self, coarse: Tensor, height: int, width: int, skip_connection: Tensor) -> Tensor:
        joined: Tensor = self.block(coarse, height, width, skip_connection=self.gate(coarse, skip_connection))
        return joined


def add_attention_gates(unet: Any, widths: tuple[int, ...]) -> nn.Module:
    """Add an attention gate to each skip connection of a U-Net of segmentation-models-pytorch, in place.

    Args:
        unet: The U-Net.
        widths: Widths of its decoder's steps.
    """
    skips = unet.encoder.out_channels[1:-1][::-1]
    coarse = (unet.encoder.out_channels[-1], *widths)
    blocks = unet.decoder.blocks
    for index, skip in enumerate(skips):
        if not skip:
            continue  # encoders that start at a quarter of the size have an empty first feature map
        blocks[index] = _Gated(blocks[index], AttentionGate(coarse[index], skip))
    gated: nn.Module = unet
    return gated
