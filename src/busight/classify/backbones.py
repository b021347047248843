"""Backbones by name: images in, a feature map out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from busight.classify.small_cnn import SmallCNN
from busight.errors import ConfigError


class TorchvisionResNet(nn.Module):
    """A torchvision ResNet up to its last feature map; its own 1000-way layer is left out."""

    feature_channels = 2048

    def __init__(self, name: str) -> None:
        import torchvision

        super().__init__()
        self.net = torchvision.models.get_model(name, weights=None)
        self.net.fc = nn.Identity()

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, 3, H, W) to features (N, 2048, H/32, W/32)."""
        net = self.net
        stem = net.maxpool(net.relu(net.bn1(net.conv1(batch))))
        features: Tensor = net.layer4(net.layer3(net.layer2(net.layer1(stem))))
        return features


class TimmBackbone(nn.Module):
    """Any timm network that can give its last features as a map."""

    def __init__(self, name: str, options: Mapping[str, str | bool | int | float]) -> None:
        import timm

        super().__init__()
        try:
            self.net: Any = timm.create_model(name, pretrained=False, num_classes=0, **dict[str, Any](options))
            self.map_like = self._gives_a_map()
            self.feature_channels = self._channels()
        except (RuntimeError, TypeError) as error:
            raise ConfigError(f"classify.backbone {name!r}: {_advice(name, error)}") from error

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, 3, H, W) to features (N, C, h, w)."""
        if self.map_like:
            features: Tensor = self.net.forward_features(batch)
            return features
        # Transformers: the last block's tokens, laid out as the grid they come from, without class token.
        grid: list[Tensor] = self.net.forward_intermediates(
            batch, indices=1, norm=True, output_fmt="NCHW", intermediates_only=True
        )
        return grid[0]

    def _gives_a_map(self) -> bool:
        features = self._try_out(self.net.forward_features)
        return features.ndim == 4 and features.shape[1] == self.net.num_features

    def _channels(self) -> int:
        return int(self._try_out(self.forward).shape[1])

    def _try_out(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        side = self.net.pretrained_cfg.get("input_size", (3, 224, 224))[-1]
        was_training = self.net.training
        self.net.eval()
        with torch.no_grad():
            features = function(torch.zeros(1, 3, side, side))
        self.net.train(was_training)
        return features


def _advice(name: str, error: Exception) -> str:
    import timm

    near = difflib.get_close_matches(name, [*timm.list_models(), *BACKBONES], n=3)
    reason = str(error).splitlines()[0]
    return f"timm cannot make it ({reason}); near names: {', '.join(near) or 'none, see timm.list_models()'}"


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Mean and deviation of the three input channels, of values in 0–1, that a backbone's weights expect."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INCEPTION = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""x / 127.5 - 1, which weights that come from TensorFlow expect."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A timm architecture with weights of another origin than timm's: other padding, other input range."""

    architecture: str
    options: Mapping[str, str | bool | int | float]
    normalisation: Normalisation


VARIANTS: dict[str, Variant] = {
    "tf_mobilenetv2_100": Variant("mobilenetv2_100", {"pad_type": "same"}, INCEPTION),
}
"""Backbone names that timm does not have."""

# Our own networks; every other name is timm's, or a variant of one of timm's.
BACKBONES: dict[str, Callable[[], nn.Module]] = {
    "small_cnn": SmallCNN,
    "torchvision/resnet101": lambda: TorchvisionResNet("resnet101"),
    "torchvision/resnet50": lambda: TorchvisionResNet("resnet50"),
}


def build_backbone(name: str, options: Mapping[str, str | bool | int | float]) -> nn.Module:
    """Build a backbone with random parameters.

    Args:
        name: A name of `BACKBONES`, or any timm name.
        options: Further arguments for timm.

    Returns:
        A module that maps float32 (N, 3, H, W) to (N, C, h, w), with the attribute ``feature_channels`` = C.

    Raises:
        ConfigError: No such network, or it does not take the options.
    """
    if name in BACKBONES:
        if options:
            raise ConfigError(f"classify.options: {name} takes none; they are for timm's networks")
        return BACKBONES[name]()
    return TimmBackbone(*timm_arguments(name, options))


def timm_arguments(
    name: str, options: Mapping[str, str | bool | int | float]
) -> tuple[str, dict[str, str | bool | int | float]]:
    """Return timm's architecture and the arguments for a backbone's name: those of a variant, and the given options."""
    if name in VARIANTS:
        return VARIANTS[name].architecture, {**VARIANTS[name].options, **options}
    return name, dict(options)


def normalisation_of(name: str) -> Normalisation:
    """Return the normalisation that a backbone's published weights expect; ImageNet's where timm publishes none."""
    if name in VARIANTS:
        return VARIANTS[name].normalisation
    if name == "small_cnn":
        return INCEPTION
    if name in BACKBONES:
        return IMAGENET
    import timm

    try:
        published = timm.get_pretrained_cfg(name)
    except RuntimeError:
        return IMAGENET
    if published is None:
        return IMAGENET
    (red, green, blue), (red_std, green_std, blue_std) = published.mean, published.std
    return Normalisation((red, green, blue), (red_std, green_std, blue_std))
