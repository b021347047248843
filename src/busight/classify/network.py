"""Networks whose classification head is mean pooling and one linear layer, so that class activation is exact."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from busight.classify.backbones import BACKBONES, Normalisation, build_backbone, normalisation_of, timm_arguments
from busight.classify.settings import ClassifySettings
from busight.errors import ConfigError
from busight.segment.settings import LEARNED, SegmentSettings, is_learned


class NetworkOutput(NamedTuple):
    """The output of every network here; what a network does not have is None.

    Attributes:
        logits: (N, K).
        activation: (N, K, h, w): class-activation maps; their spatial mean is the logits.
        mask_logits: (N, 1, H, W).
        features: (N, C): the pooled features, the input of the class head's linear layer.
    """

    logits: Tensor | None
    activation: Tensor | None
    mask_logits: Tensor | None
    features: Tensor | None


class Normalise(nn.Module):
    """Grey input in 0–1 to three normalised channels, inside the network: no caller can normalise it wrongly."""

    mean: Tensor
    std: Tensor

    def __init__(self, normalisation: Normalisation) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(normalisation.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(normalisation.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, 1 or 3, H, W) in 0–1 to (N, 3, H, W)."""
        return (batch - self.mean) / self.std


class PooledLinear(nn.Module):
    """Mean pooling, dropout, one linear layer.

    Because pooling and the linear layer commute, the same layer read out at every position is the exact
    class-activation map: its mean is the logit.

    Source:
        Zhou et al., Learning deep features for discriminative localization, CVPR 2016, eq. 2.
    """

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, classes)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map features (N, C, h, w) to logits (N, K), class-activation maps (N, K, h, w) and pooled features (N, C)."""
        pooled = features.mean(dim=(2, 3))
        logits = self.linear(self.dropout(pooled))
        weight = self.linear.weight[:, :, None, None]
        activation = nn.functional.conv2d(features, weight, self.linear.bias)
        return logits, activation, pooled


class Classifier(nn.Module):
    """Backbone and pooled linear head."""

    def __init__(self, backbone: nn.Module, classes: int, dropout: float, normalisation: Normalisation) -> None:
        super().__init__()
        self.normalise = Normalise(normalisation)
        self.backbone = backbone
        self.head = PooledLinear(int(backbone.feature_channels), classes, dropout)  # type: ignore[arg-type]

    def forward(self, batch: Tensor) -> NetworkOutput:
        """Map float32 (N, 1, H, W) in 0–1 to logits and class-activation maps."""
        logits, activation, pooled = self.head(self.backbone(self.normalise(batch)))
        return NetworkOutput(logits, activation, None, pooled)

    @property
    def pretrained_part(self) -> nn.Module:
        """The module that initial weights are loaded into."""
        net = getattr(self.backbone, "net", self.backbone)
        assert isinstance(net, nn.Module)
        return net


class MaskNetwork(nn.Module):
    """A mask network, with or without a class head on its encoder's last features."""

    def __init__(self, segmenter: nn.Module, normalisation: Normalisation) -> None:
        super().__init__()
        self.normalise = Normalise(normalisation)
        self.segmenter: Any = segmenter
        self.head: PooledLinear | None = None

    def add_class_head(self, classes: int, dropout: float) -> None:
        """Add a pooled linear head on the encoder's last features."""
        self.head = PooledLinear(self.segmenter.encoder.out_channels[-1], classes, dropout)

    def forward(self, batch: Tensor) -> NetworkOutput:
        """Map float32 (N, 1, H, W) in 0–1, H and W multiples of 32, to mask logits and, with a head, logits."""
        features = self.segmenter.encoder(self.normalise(batch))
        mask_logits = self.segmenter.segmentation_head(self.segmenter.decoder(features))
        logits, activation, pooled = self.head(features[-1]) if self.head is not None else (None, None, None)
        return NetworkOutput(logits, activation, mask_logits, pooled)

    @property
    def pretrained_part(self) -> nn.Module:
        """The module that initial weights are loaded into."""
        model = self.segmenter.encoder.model
        assert isinstance(model, nn.Module)
        return model


Network = Classifier | MaskNetwork


def build_classifier(settings: ClassifySettings, classes: int, decoder: SegmentSettings | None = None) -> Network:
    """Build the network of a recipe's ``classify`` section, with random parameters.

    Args:
        settings: The section.
        classes: Number of classes K.
        decoder: The recipe's ``segment`` section, which names the mask decoder; None for no decoder.

    Raises:
        ConfigError: The backbone is not known or cannot be used this way.
    """
    if decoder is None:
        backbone = build_backbone(settings.backbone, settings.options)
        return Classifier(backbone, classes, settings.dropout, normalisation_of(settings.backbone))
    if settings.backbone in BACKBONES:
        raise ConfigError(
            f"classify.backbone {settings.backbone}: {settings.strategy} needs a timm name, e.g. resnet101 or "
            "mobilenetv2_100"
        )
    if settings.size % 32:
        fitting = max(32, round(settings.size / 32) * 32)
        raise ConfigError(f"classify.size {settings.size}: {settings.strategy} needs a multiple of 32, e.g. {fitting}")
    network = _mask_network(decoder, settings.backbone, settings.options)
    network.add_class_head(classes, settings.dropout)
    return network


def build_segmenter(settings: SegmentSettings) -> MaskNetwork:
    """Build the network of a recipe's ``segment`` section, with random parameters.

    Raises:
        ConfigError: The method is not a network, or the encoder cannot be used this way.
    """
    return _mask_network(settings, settings.encoder, settings.options)


def _mask_network(segment: SegmentSettings, encoder: str, options: dict[str, str | bool | int | float]) -> MaskNetwork:
    from busight.segment.learned.catalogue import build_mask_network

    if not is_learned(segment.method):
        raise ConfigError(f"segment.method {segment.method}: has no decoder to train; choose {', '.join(LEARNED)}")
    architecture, arguments = timm_arguments(encoder, options)
    network = build_mask_network(segment.method, architecture, arguments, segment.decoder_channels)
    return MaskNetwork(network, normalisation_of(encoder))
