"""What a recipe may say about segmentation. No PyTorch here: recipes are read without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from busight.segment.postprocess import PostprocessSettings

Width = Annotated[int, Field(ge=1)]
ClassicalName = Literal[
    "otsu", "multi_otsu", "adaptive", "canny", "watershed", "region_growing", "kmeans", "fuzzy_cmeans", "chan_vese",
    "geodesic", "gvf_snake",
]  # fmt: skip
"""The methods without training; `busight.segment.classical.catalogue` has them."""


@dataclass(frozen=True, slots=True)
class RoiSettings:
    """The region that the classifier sees in ``two-stage`` and, at its second look, in ``zoom``.

    Attributes:
        margin: Widening on each side as a share of the lesion box's longer side, 0–10.
        square: Widen the shorter side to the longer one.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    margin: Annotated[float, Field(ge=0, le=10)] = 0.25
    square: bool = True


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """The segmentation of ``two-stage`` and of the task ``segmentation``; ``joint`` and ``zoom`` use only
    the post-processing, ``zoom`` the region too.

    Attributes:
        method: ``unet`` (trained), or one that needs no training: ``otsu``, ``multi_otsu``, ``adaptive``, ``canny``,
            ``watershed``, ``region_growing``, ``kmeans``, ``fuzzy_cmeans``, ``chan_vese``, ``geodesic``, ``gvf_snake``.
        encoder: The U-Net's encoder, any timm name.
        weights: ``imagenet``, ``none``, or the path of a safetensors file.
        options: Further arguments for timm's encoder.
        decoder_channels: Widths of the decoder's five steps; also used by ``joint`` and ``zoom``. Half of the
            library's widths: 1.8 times as many images a second on two CPU cores.
        normalise: Which input range the weights expect.
        size: Side of the square input in pixels, a multiple of 32.
        keep_aspect: Pad to a square instead of stretching.
        epochs: Epochs of training the U-Net; other training settings come from ``train``.
        learning_rate: Step size of the U-Net's training.
        postprocess: How its probability map becomes a mask.
        roi: The region around the mask.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    method: Literal["unet"] | ClassicalName = "unet"
    encoder: str = "resnet18"
    weights: str = "imagenet"
    options: dict[str, str | bool | int | float] = field(default_factory=dict)
    decoder_channels: tuple[Width, Width, Width, Width, Width] = (128, 64, 32, 16, 8)
    normalise: Literal["imagenet", "half", "none"] = "imagenet"
    size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 160
    keep_aspect: bool = False
    epochs: Annotated[int, Field(ge=1)] = 12
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    postprocess: PostprocessSettings = field(default_factory=PostprocessSettings)
    roi: RoiSettings = field(default_factory=RoiSettings)
