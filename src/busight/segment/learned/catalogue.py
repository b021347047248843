"""The mask networks, by name: any timm encoder, and a decoder from segmentation-models-pytorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

from busight.errors import ConfigError
from busight.segment.learned.attention_unet import add_attention_gates
from busight.segment.settings import LearnedName

Widths = tuple[int, ...]


def _unet(widths: Widths, **given: Any) -> nn.Module:
    """Ronneberger, Fischer and Brox, U-Net, MICCAI 2015."""
    model: nn.Module = smp.Unet(decoder_channels=widths, **given)
    return model


def _attention_unet(widths: Widths, **given: Any) -> nn.Module:
    """Oktay et al., Attention U-Net, MIDL 2018."""
    model: nn.Module = smp.Unet(decoder_channels=widths, **given)
    return add_attention_gates(model, widths)


def _unetplusplus(widths: Widths, **given: Any) -> nn.Module:
    """Zhou et al., UNet++, DLMIA 2018, without deep supervision."""
    model: nn.Module = smp.UnetPlusPlus(decoder_channels=widths, **given)
    return model


def _deeplabv3plus(widths: Widths, **given: Any) -> nn.Module:
    """Chen et al., Encoder-decoder with atrous separable convolution, ECCV 2018; output stride 16."""
    model: nn.Module = smp.DeepLabV3Plus(decoder_channels=widths[0], **given)
    return model


def _fpn(widths: Widths, **given: Any) -> nn.Module:
    """Kirillov et al., Panoptic feature pyramid networks, CVPR 2019."""
    model: nn.Module = smp.FPN(decoder_pyramid_channels=widths[0], decoder_segmentation_channels=widths[0], **given)
    return model


NETWORKS: dict[LearnedName, Callable[..., nn.Module]] = {
    "unet": _unet,
    "unetplusplus": _unetplusplus,
    "attention_unet": _attention_unet,
    "deeplabv3plus": _deeplabv3plus,
    "fpn": _fpn,
}


def build_mask_network(
    name: LearnedName, encoder: str, options: dict[str, str | bool | int | float], widths: Widths
) -> nn.Module:
    """Build an encoder with a mask decoder, with random parameters.

    Args:
        name: Name of the decoder.
        encoder: A timm name.
        options: Further arguments for timm.
        widths: Widths of the decoder's five steps; DeepLabV3+ and FPN have one width, the first.

    Returns:
        A module with ``encoder``, ``decoder`` and ``segmentation_head``; three input channels, one logit a pixel.

    Raises:
        ConfigError: The encoder or the widths cannot be used this way.
    """
    if name == "fpn" and widths[0] % 32:
        raise ConfigError(f"decoder_channels: fpn needs a first width that is a multiple of 32, not {widths[0]}")
    try:
        return NETWORKS[name](
            widths, encoder_name=f"tu-{encoder}", encoder_weights=None, in_channels=3, classes=1, **options
        )
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"encoder {encoder!r}: timm cannot give its feature pyramid to {name} ({reason}); try resnet18"
        ) from error
