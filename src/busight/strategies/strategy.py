"""The strategy: which views of an image the networks get, and how their outputs are combined."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.preprocess.pipeline import PreparedImage
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.segment.prompt import proposal_in_box
from busight.segment.proposal import propose_lesion
from busight.segment.settings import RoiSettings
from busight.strategies.engine import Engine
from busight.strategies.segmenters import MaskSource
from busight.strategies.views import InputSpec, View, ViewOutput, run_views
from busight.types import FloatArray, Image, Mask, Roi


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The stages that a strategy runs, with their settings.

    Attributes:
        classifier: The classifier's graph; None for a model that only segments.
        input: Input of the classifier; None without one.
        tta: Test-time augmentation of the classifier.
        segmenter: The segmenter of its own; None where the strategy has none.
        postprocess: From probabilities to a mask.
        roi: The region around a mask.
        use_proposal: Whether the lesion proposal gets a view too, where the strategy has local views.
    """

    classifier: Engine | None = None
    input: InputSpec | None = None
    tta: bool = False
    segmenter: MaskSource | None = None
    postprocess: PostprocessSettings = field(default_factory=PostprocessSettings)
    roi: RoiSettings = field(default_factory=RoiSettings)
    use_proposal: bool = False

    def run(self, views: Sequence[View]) -> list[ViewOutput]:
        """Run the classifier on views, all in one batch.

        Raises:
            BundleError: There is no classifier.
        """
        if self.classifier is None or self.input is None:
            raise BundleError("the card has no classifier; get the bundle again")
        return run_views(self.classifier, views, self.input, self.tta)

    def segment(self, images: Sequence[PreparedImage]) -> list[tuple[Mask, NDArray[np.float32]]]:
        """Return mask and probabilities of each image by the segmenter of its own.

        Raises:
            BundleError: There is no such segmenter.
        """
        if self.segmenter is None:
            raise BundleError("the card has no segmenter; get the bundle again")
        probs = self.segmenter.probs([image.channels for image in images])
        return [(self.mask(image, values), values) for image, values in zip(images, probs, strict=True)]

    def mask(self, image: PreparedImage, probs: NDArray[np.float32]) -> Mask:
        """Return the mask of an image's probabilities, float32 hw in 0–1; within the region that a reader chose.

        Where nothing of that region is above the threshold, the ellipse that touches its sides is the mask: the reader
        says that there is a lesion.
        """
        if image.region is None:
            return to_mask(probs, self.postprocess)
        inside = np.zeros_like(probs)
        image.region.cut(inside)[:] = image.region.cut(probs)
        mask = to_mask(inside, replace(self.postprocess, minimum_share=0.0))
        return mask if mask.any() else proposal_in_box(grey_of(image.enhanced), image.region).mask


_ROUNDING = 1e-3
"""How far resizing may bring a probability beyond 0 and 1."""


@dataclass(frozen=True, slots=True, eq=False)
class RawOutput:
    """A strategy's output for one image, before any decision; maps are in the cropped image's pixels.

    Attributes:
        logits: float64 (K,).
        roi: The region that was classified, or that a local view was cut from.
        mask: bool HW; None without segmentation.
        mask_probs: float32 HW in 0–1 behind it.
        features: float32 (C,), of the first view; None where the graph does not give them.
        views: The classifier's views, each with the factor of its activation map. The mean of their weighted sum over
            the image is the logit where a view covers the image; over the region, where a view covers that alone.
        proposal: The lesion proposal, bool HW, where the strategy computed it.
    """

    logits: FloatArray
    roi: Roi
    mask: Mask | None = None
    mask_probs: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None
    views: tuple[tuple[ViewOutput, float], ...] = ()
    proposal: Mask | None = None

    @property
    def fault(self) -> str | None:
        """Why no answer can be made of it: ``"logits hold NaN or infinity"``; None where one can."""
        arrays = {"logits": self.logits, "features": self.features, "mask probabilities": self.mask_probs}
        arrays |= {name: values for output, _ in self.views for name, values in output.outputs.items()}
        for name, values in arrays.items():
            if values is not None and not np.isfinite(values).all():
                return f"{name} hold NaN or infinity"
        if self.mask_probs is not None and (
            self.mask_probs.min() < -_ROUNDING or self.mask_probs.max() > 1 + _ROUNDING
        ):
            return "mask probabilities are outside 0–1"
        return None

    def activation(self, class_index: int) -> NDArray[np.float32]:
        """Return the class-activation map of a class, float32 HW, of an output with views."""
        maps = [output.activation(class_index) * np.float32(weight) for output, weight in self.views]
        total: NDArray[np.float32] = np.sum(maps, axis=0)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class FirstView:
    """The first view of an image, and the mask that it was made by.

    Attributes:
        view: The view for the classifier.
        mask: Mask of the segmenter of its own; None without one.
        mask_probs: Its probabilities.
    """

    view: View
    mask: Mask | None = None
    mask_probs: NDArray[np.float32] | None = None


class Strategy(Protocol):
    """How a lesion is used: by default one view of the whole image and no segmenter.

    A new one is a subclass in a file of its own, and one line in `busight.strategies.catalogue`.
    """

    name: str
    segments_first: bool = False
    """Whether a segmenter of its own precedes the classifier."""
    decodes_mask: bool = False
    """Whether the classifier's network has a mask decoder."""
    mask_channel: bool = False
    """Whether the last channel of the classifier's input is a mask, whose values augmentation must not change."""
    local_views: bool = False
    """Whether the classifier has local views too, and is trained on them."""

    @property
    def uses_region(self) -> bool:
        """Whether the answer depends on where the lesion is, so that a reader may choose the region."""
        return self.segments_first or self.local_views

    def first_views(self, images: Sequence[PreparedImage], stages: Stages) -> list[FirstView]:
        """Return the first view of each image for the classifier, in training as in prediction."""
        return [FirstView(View(image.channels, image.box)) for image in images]

    def first_outputs(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the output for each image by its first view alone: its mask and features are those of `infer`."""
        firsts = self.first_views(images, stages)
        outputs = stages.run([first.view for first in firsts])
        return [raw_output(*parts, stages) for parts in zip(images, firsts, outputs, strict=True)]

    def infer(self, images: Sequence[PreparedImage], stages: Stages) -> list[RawOutput]:
        """Return the output for each image; all views of all images are run in one batch."""
        return self.first_outputs(images, stages)

    @abstractmethod
    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report.

        Args:
            network: The classifier, in a few words.
            segmenter: The segmenter of its own, in a few words.
        """


def raw_output(image: PreparedImage, first: FirstView, output: ViewOutput, stages: Stages) -> RawOutput:
    """Return the output of one view; a mask of the classifier's own decoder has precedence over a segmenter's."""
    mask, probs = first.mask, first.mask_probs
    if (decoded := output.mask_probs) is not None:
        mask, probs = stages.mask(image, decoded), decoded
    return RawOutput(output.logits, first.view.roi, mask, probs, output.features, ((output, 1.0),))


def propose(image: PreparedImage) -> Mask:
    """Return the lesion proposal of an enhanced image, bool HW."""
    return propose_lesion(grey_of(image.enhanced)).mask


def proposal_of(image: PreparedImage, raw: RawOutput) -> Callable[[], Mask]:
    """Return a function that returns the lesion proposal of an image: the strategy's own, or computed on first call."""
    return lambda: propose(image) if raw.proposal is None else raw.proposal


def grey_of(image: Image) -> Image:
    """Return an image, uint8 HW or HW3, as grey."""
    return image if image.ndim == 2 else np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
