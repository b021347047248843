"""Segmenters with one interface: a method without training, or a model; with or without a user's prompt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError, ConfigError, DataError
from busight.model.model import Model
from busight.preprocess.pipeline import Preprocess
from busight.segment.classical.catalogue import PROMPTED, scores_of
from busight.segment.fallback import fallback_to_proposal
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.segment.prompt import proposal_at, proposal_in_box, within_box
from busight.segment.proposal import LesionProposal, propose_lesion
from busight.segment.settings import ClassicalName
from busight.types import Image, InputImage, Mask, Rejected, Roi, prediction_of


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """The segmentation of one image.

    Attributes:
        mask: bool HW.
        probs: float32 HW in 0–1; None for a method without training, whose scores are no probabilities.
        rejected: Why the model rejects the image as out of distribution; None where it does not.
    """

    mask: Mask
    probs: NDArray[np.float32] | None
    rejected: str | None = None


class Segmenter(Protocol):
    """A segmenter: it returns the lesion mask of an image."""

    @property
    def name(self) -> str:
        """Its name in tables."""
        ...

    def segment(self, given: InputImage) -> Segmentation:
        """Segment an image, uint8 HW; by the path of its origin a cross-validation chooses its network."""
        ...

    def knows(self, sample_id: str) -> bool:
        """Return whether it can segment a sample."""
        ...

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of the images that the network for this sample was trained on."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A user's prompt, in pixels of the image.

    Attributes:
        box: Around the lesion.
        click: Row and column of a point on it.
    """

    box: Roi | None = None
    click: tuple[int, int] | None = None

    def moved(self, origin: tuple[int, int], scale: tuple[float, float] = (1.0, 1.0)) -> Prompt:
        """Return the prompt for an image of a part of the prompt's frame.

        Args:
            origin: Row and column of the image's first pixel in the frame.
            scale: Rows and columns of the image for each of the frame.
        """
        (top, left), (down, right) = origin, scale
        box, click = self.box, self.click
        if box is not None:
            box = Roi(
                round((box.top - top) * down),
                round((box.left - left) * right),
                round((box.bottom - top) * down),
                round((box.right - left) * right),
            )
        if click is not None:
            # The middle of the frame's pixel: rounding down its first edge would miss a stretched one.
            click = (math.floor((click[0] - top + 0.5) * down), math.floor((click[1] - left + 0.5) * right))
        return Prompt(box, click)

    def proposal(self, image: Image) -> LesionProposal:
        """Return the lesion proposal of the prompt for an image.

        Raises:
            DataError: The prompt lies outside the image, or is empty.
        """
        if self.box is not None:
            return proposal_in_box(image, self.box)
        if self.click is not None:
            return proposal_at(image, *self.click)
        raise DataError("neither a box nor a click; give one of them")


@dataclass(frozen=True, slots=True)
class ClassicalMethod:
    """A method without training, after a chain of filters.

    Attributes:
        name: Name of the method.
        preprocess: The preprocessing.
        prompt: A user's prompt; None without one.
    """

    name: ClassicalName
    preprocess: Preprocess = field(default_factory=Preprocess)
    prompt: Prompt | None = None

    def __post_init__(self) -> None:
        """Raise for a prompt that the method cannot use."""
        if self.prompt is not None and self.name not in PROMPTED:
            raise ConfigError(f"{self.name}: cannot start from a box or a click; choose {', '.join(PROMPTED)}")

    def segment(self, given: InputImage) -> Segmentation:
        """Segment an image, uint8 HW, within the chain's crop box.

        Raises:
            DataError: The prompt lies outside the image.
        """
        image = given.pixels
        prepared = self.preprocess(image)
        region, enhanced = prepared.crop_box, prepared.enhanced
        mask = np.zeros(image.shape, dtype=np.bool_)
        if self.prompt is None:
            region.cut(mask)[:] = to_mask(scores_of(self.name, enhanced), PostprocessSettings())
            return Segmentation(mask, None)
        proposal = self.prompt.proposal(image)
        scores = scores_of(self.name, enhanced, LesionProposal(region.cut(proposal.mask), proposal.score))
        # However small: with a prompt there is a lesion.
        region.cut(mask)[:] = to_mask(scores, PostprocessSettings(minimum_share=0.0))
        if self.prompt.box is not None:
            mask = within_box(mask, self.prompt.box)
        if self.prompt.click is not None and not mask[self.prompt.click]:
            mask = proposal.mask  # the contour left the prompted region
        return Segmentation(mask if mask.any() else proposal.mask, None)

    def knows(self, sample_id: str) -> bool:
        """Return True: it needs nothing but the image."""
        return True

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return an empty set: it is not trained."""
        return frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class ModelSegmenter:
    """A model with segmentation as a segmenter.

    Attributes:
        name: Name of the model and its folder.
        model: The model.
    """

    name: str
    model: Model

    def segment(self, given: InputImage) -> Segmentation:
        """Segment an image, uint8 HW.

        Raises:
            InferenceError: The network's output is no answer.
        """
        (answer,) = self.model.predict([given])
        found = prediction_of(answer)
        if found.mask is None or found.mask_probs is None:
            raise BundleError(f"{self.name}: the model draws no masks; train a recipe that segments")
        return Segmentation(found.mask, found.mask_probs, answer.reason if isinstance(answer, Rejected) else None)

    def knows(self, sample_id: str) -> bool:
        """Return True: it needs nothing but the image."""
        return True

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of its training and validation images."""
        return frozenset(self.model.card.training.digests)


@dataclass(frozen=True, slots=True, eq=False)
class FallbackToProposal:
    """A network with fallback to the lesion proposal (`busight.segment.fallback`), for images known to show a lesion.

    Attributes:
        network: A segmenter with probabilities.
    """

    network: Segmenter

    @property
    def name(self) -> str:
        """The network's name, and the fallback."""
        return f"{self.network.name}, else the lesion proposal"

    def segment(self, given: InputImage) -> Segmentation:
        """Segment an image, uint8 HW."""
        found = self.network.segment(given)
        if found.probs is None:
            raise BundleError(
                f"{self.network.name}: gives no probabilities; a method without training assumes a lesion"
            )
        mask = fallback_to_proposal(found.mask, found.probs, lambda: propose_lesion(given.pixels).mask)
        return replace(found, mask=mask)

    def knows(self, sample_id: str) -> bool:
        """Return whether the network can segment a sample."""
        return self.network.knows(sample_id)

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of the images that the network was trained on."""
        return self.network.trained_on(sample_id)


def model_segmenter(folder: Path) -> ModelSegmenter:
    """Load a bundle, or the folder of a run, with segmentation.

    Raises:
        BundleError: The folder is no bundle, or the model has no segmentation.
    """
    model = Model.load(folder)
    if model.card.segment is None:
        raise BundleError(f"{folder}: the model draws no masks; train a recipe that segments")
    return ModelSegmenter(f"{model.card.name} ({folder.resolve().name})", model)
