"""Networks whose classification head is mean pooling and one linear layer, so that class activation is exact."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from busight.classify.backbones import BACKBONES, build_backbone
from busight.classify.settings import NORMALISATION, ClassifySettings
from busight.errors import RecipeError
from busight.segment.settings import SegmentSettings


class NetworkOutput(NamedTuple):
    """What every network here returns; a part that it does not have is None.

    Attributes:
        logits: (N, K).
        activation: (N, K, h, w): class-activation maps; their spatial mean is the logits.
        mask_logits: (N, 1, H, W).
    """

    logits: Tensor | None
    activation: Tensor | None
    mask_logits: Tensor | None


class Normalise(nn.Module):
    """Grey input in 0–1 to three normalised channels, inside the network so that nobody can feed it the wrong way."""

    mean: Tensor
    std: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        mean, std = NORMALISATION[name]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

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

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (N, C, h, w) to logits (N, K) and class-activation maps (N, K, h, w)."""
        logits = self.linear(self.dropout(features.mean(dim=(2, 3))))
        weight = self.linear.weight[:, :, None, None]
        activation = nn.functional.conv2d(features, weight, self.linear.bias)
        return logits, activation


class Classifier(nn.Module):
    """Backbone and pooled linear head."""

    def __init__(self, backbone: nn.Module, classes: int, dropout: float, normalise: str) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.backbone = backbone
        self.head = PooledLinear(int(backbone.feature_channels), classes, dropout)  # type: ignore[arg-type]

    def forward(self, batch: Tensor) -> NetworkOutput:
        """Map float32 (N, 1, H, W) in 0–1 to logits and class-activation maps."""
        logits, activation = self.head(self.backbone(self.normalise(batch)))
        return NetworkOutput(logits, activation, None)

    @property
    def pretrained_part(self) -> nn.Module:
        """The module that initial weights are loaded into."""
        net = getattr(self.backbone, "net", self.backbone)
        assert isinstance(net, nn.Module)
        return net


class UNet(nn.Module):
    """A U-Net over any timm encoder, with or without a class head on the encoder's last features."""

    def __init__(
        self,
        encoder: str,
        options: dict[str, str | bool | int | float],
        normalise: str,
        decoder_channels: tuple[int, ...],
    ) -> None:
        import segmentation_models_pytorch as smp

        super().__init__()
        self.normalise = Normalise(normalise)
        try:
            self.unet = smp.Unet(
                f"tu-{encoder}",
                encoder_weights=None,
                decoder_channels=decoder_channels,
                in_channels=3,
                classes=1,
                **options,
            )
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise RecipeError(
                f"encoder {encoder!r}: timm cannot give its feature pyramid ({reason}); try resnet18"
            ) from error
        self.head: PooledLinear | None = None

    def add_class_head(self, classes: int, dropout: float) -> None:
        """Put a pooled linear head on the encoder's last features."""
        self.head = PooledLinear(self.unet.encoder.out_channels[-1], classes, dropout)

    def forward(self, batch: Tensor) -> NetworkOutput:
        """Map float32 (N, 1, H, W) in 0–1, H and W multiples of 32, to mask logits and, with a head, logits."""
        features = self.unet.encoder(self.normalise(batch))
        mask_logits = self.unet.segmentation_head(self.unet.decoder(features))
        logits, activation = self.head(features[-1]) if self.head is not None else (None, None)
        return NetworkOutput(logits, activation, mask_logits)

    @property
    def pretrained_part(self) -> nn.Module:
        """The module that initial weights are loaded into."""
        model = self.unet.encoder.model
        assert isinstance(model, nn.Module)
        return model


Network = Classifier | UNet


def build_classifier(
    settings: ClassifySettings, classes: int, decoder_channels: tuple[int, ...] = (128, 64, 32, 16, 8)
) -> Network:
    """Build the network of a recipe's ``classify`` section, with random parameters.

    Args:
        settings: The section; ``lesion = "joint"`` and ``"zoom"`` give a U-Net with a class head.
        classes: Number of classes K.
        decoder_channels: Widths of its mask decoder.

    Raises:
        RecipeError: The backbone is not known or cannot be used this way.
    """
    if not settings.decodes_mask:
        backbone = build_backbone(settings.backbone, settings.options)
        return Classifier(backbone, classes, settings.dropout, settings.normalise)
    if settings.backbone in BACKBONES:
        raise RecipeError(
            f"classify.backbone {settings.backbone}: {settings.lesion} needs a timm name, e.g. resnet101 or "
            "mobilenetv2_100"
        )
    network = UNet(settings.backbone, settings.options, settings.normalise, decoder_channels)
    network.add_class_head(classes, settings.dropout)
    return network


def build_segmenter(settings: SegmentSettings) -> UNet:
    """Build the U-Net of a recipe's ``segment`` section, with random parameters."""
    return UNet(settings.encoder, settings.options, settings.normalise, settings.decoder_channels)
