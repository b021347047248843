"""Segmenters behind one call: a method without training, or a model; with or without a person's prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
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
from busight.segment.prompt import guess_at, guess_in_box, within_box
from busight.segment.proposal import LesionProposal, propose_lesion
from busight.segment.settings import ClassicalName
from busight.types import Image, Mask, Roi, prediction_of


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A lesion's outline in one image.

    Attributes:
        mask: bool HW.
        probs: float32 HW in 0–1; None for a method without training, whose scores are no probabilities.
    """

    mask: Mask
    probs: NDArray[np.float32] | None


class Segmenter(Protocol):
    """Draws the lesions of an image."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def segment(self, image: Image, sample_id: str) -> Segmentation:
        """Outline the lesions of an image, uint8 HW; the sample's name tells a cross-validation its network."""
        ...

    def knows(self, sample_id: str) -> bool:
        """Return whether it can outline a sample."""
        ...

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of the images that whatever outlines this sample was trained on."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A person's help, in pixels of the image.

    Attributes:
        box: Around the lesion.
        click: Row and column of a point on it.
    """

    box: Roi | None = None
    click: tuple[int, int] | None = None

    def moved(self, origin: tuple[int, int]) -> Prompt:
        """Return the prompt for an image that begins at this row and column of the frame where a person pointed."""
        top, left = origin
        box, click = self.box, self.click
        return Prompt(
            None if box is None else Roi(box.top - top, box.left - left, box.bottom - top, box.right - left),
            None if click is None else (click[0] - top, click[1] - left),
        )

    def guess(self, image: Image) -> LesionProposal:
        """Return the first guess for an image.

        Raises:
            DataError: It lies outside the image, or is empty.
        """
        if self.box is not None:
            return guess_in_box(image, self.box)
        if self.click is not None:
            return guess_at(image, *self.click)
        raise DataError("neither a box nor a click; give one of them")


@dataclass(frozen=True, slots=True)
class ClassicalMethod:
    """A method without training, after a chain of filters.

    Attributes:
        name: Of the method.
        preprocess: What happens to an image first.
        prompt: A person's help; None for none.
    """

    name: ClassicalName
    preprocess: Preprocess = field(default_factory=Preprocess)
    prompt: Prompt | None = None

    def __post_init__(self) -> None:
        """Refuse help that the method cannot use."""
        if self.prompt is not None and self.name not in PROMPTED:
            raise ConfigError(f"{self.name}: cannot start from a box or a click; choose {', '.join(PROMPTED)}")

    def segment(self, image: Image, sample_id: str = "") -> Segmentation:
        """Outline the lesion of an image, uint8 HW, within the chain's field.

        Raises:
            DataError: The prompt lies outside the image.
        """
        prepared = self.preprocess(image)
        region, enhanced = prepared.crop_box, prepared.enhanced
        mask = np.zeros(image.shape, dtype=np.bool_)
        if self.prompt is None:
            region.cut(mask)[:] = to_mask(scores_of(self.name, enhanced), PostprocessSettings())
            return Segmentation(mask, None)
        guess = self.prompt.guess(image)
        scores = scores_of(self.name, enhanced, LesionProposal(region.cut(guess.mask), guess.score))
        # However small: a person has said that there is a lesion.
        region.cut(mask)[:] = to_mask(scores, PostprocessSettings(minimum_share=0.0))
        if self.prompt.box is not None:
            mask = within_box(mask, self.prompt.box)
        if self.prompt.click is not None and not mask[self.prompt.click]:
            mask = guess.mask  # the contour left the place that the person meant
        return Segmentation(mask if mask.any() else guess.mask, None)

    def knows(self, sample_id: str) -> bool:
        """Say yes: it needs nothing but the image."""
        return True

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return nothing: it was not trained."""
        return frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class ModelSegmenter:
    """A model that draws masks.

    Attributes:
        name: Of the model and its folder.
        model: It.
    """

    name: str
    model: Model

    def segment(self, image: Image, sample_id: str = "") -> Segmentation:
        """Outline the lesion of an image, uint8 HW."""
        found = prediction_of(self.model.predict([image])[0])
        if found.mask is None or found.mask_probs is None:
            raise BundleError(f"{self.name}: the model draws no masks; train a recipe that segments")
        return Segmentation(found.mask, found.mask_probs)

    def knows(self, sample_id: str) -> bool:
        """Say yes: it needs nothing but the image."""
        return True

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of its training and validation images."""
        return frozenset(self.model.card.training.digests)


@dataclass(frozen=True, slots=True, eq=False)
class FallbackToProposal:
    """A network in images that are known to show a lesion; see `busight.segment.fallback`.

    Attributes:
        network: Whatever outlines them with probabilities.
    """

    network: Segmenter

    @property
    def name(self) -> str:
        """The network's, and what takes its place."""
        return f"{self.network.name}, else the lesion proposal"

    def segment(self, image: Image, sample_id: str = "") -> Segmentation:
        """Outline the lesion of an image, uint8 HW."""
        found = self.network.segment(image, sample_id)
        if found.probs is None:
            raise BundleError(
                f"{self.network.name}: gives no probabilities; a method without training assumes a lesion"
            )
        mask = fallback_to_proposal(found.mask, found.probs, lambda: propose_lesion(image).mask)
        return Segmentation(mask, found.probs)

    def knows(self, sample_id: str) -> bool:
        """Return whether the network can outline a sample."""
        return self.network.knows(sample_id)

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return what the network was trained on."""
        return self.network.trained_on(sample_id)


def model_segmenter(folder: Path) -> ModelSegmenter:
    """Load a bundle, or the folder of a run, that draws masks.

    Raises:
        BundleError: It is none, or it draws no masks.
    """
    model = Model.load(folder)
    if model.card.segment is None:
        raise BundleError(f"{folder}: the model draws no masks; train a recipe that segments")
    return ModelSegmenter(f"{model.card.name} ({folder.resolve().name})", model)
