"""What a recipe may say about the networks. No PyTorch here: recipes are read without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from busight.data.labels import TaskName

Normalise = Literal["imagenet", "half", "none"]
LesionUse = Literal["two-stage", "masked", "mask-channel", "joint", "zoom", "whole"]

NORMALISATION: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # Means and deviations of ImageNet's channels, the ones that torchvision's and most of timm's weights expect.
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # x / 127.5 - 1, which weights that come from TensorFlow expect.
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


@dataclass(frozen=True, slots=True)
class ClassifySettings:
    """The classifier.

    Attributes:
        task: ``finding`` (three classes), ``malignancy``, ``lesion``, or ``segmentation`` (no classifier at all).
        lesion: How the lesion is used: ``two-stage`` (segment, cut the region, classify it), ``masked`` (segment, black
            out all else), ``mask-channel`` (segment, give the mask as the third channel), ``joint`` (one encoder, a
            mask decoder and a class head), ``zoom`` (a joint network that looks twice, at the whole image and at the
            region of the mask that it found there, and takes the mean) or ``whole`` (the whole image, no segmentation).
        backbone: ``torchvision/resnet101``, ``small_cnn``, or any timm name.
        weights: ``imagenet``, ``none``, or the path of a safetensors file.
        options: Further arguments for timm's ``create_model``, e.g. ``{pad_type = "same"}``.
        normalise: Which input range the weights expect.
        size: Side of the square input in pixels.
        keep_aspect: Pad to a square instead of stretching.
        dropout: Probability of dropping a pooled feature.
        test_flip: Average the prediction over the image and its mirror image.
        guess: In ``zoom``, also look at the region that edges and darkness alone choose
            (`busight.segment.proposal.seed_region`): on another device's images a learned mask is often empty.
        reader: Weight of the second reader's log-odds (`busight.descriptors.model`), which move malignant against
            benign by the BI-RADS words of the outlined lesion; 0 leaves the network alone. For tasks and uses of the
            lesion with both classes and a mask.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    task: TaskName = "finding"
    lesion: LesionUse = "two-stage"
    backbone: str = "torchvision/resnet101"
    weights: str = "imagenet"
    options: dict[str, str | bool | int | float] = field(default_factory=dict)
    normalise: Normalise = "imagenet"
    size: Annotated[int, Field(ge=16, le=4096)] = 224
    keep_aspect: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    test_flip: bool = False
    guess: bool = False
    reader: Annotated[float, Field(ge=0, le=10)] = 0.0

    @property
    def decodes_mask(self) -> bool:
        """The classifier's own network draws the mask too."""
        return self.lesion in ("joint", "zoom")

    @property
    def needs_mask(self) -> bool:
        """A segmenter of its own marks the lesion before the classifier looks."""
        return self.lesion in ("two-stage", "masked", "mask-channel")
