"""Whatever draws a lesion's outline, behind one call: a method without training, a bundle, the folds of a crossval."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from busight.bundle.load import load_bundle
from busight.enhance.chain import Step, apply_chain, field_of
from busight.errors import BundleError, DataError, RecipeError
from busight.predict.predictor import Predictor, open_predictor
from busight.segment.candidates import Seed
from busight.segment.classical.catalogue import METHODS, PROMPTED
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.segment.prompt import guess_at, guess_in_box, within_box
from busight.segment.settings import ClassicalName
from busight.types import Image, Mask, Roi


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """A lesion's outline in one image.

    Attributes:
        mask: bool HW.
        probs: float32 HW in 0–1: of a network probabilities, of a method without training its score.
    """

    mask: Mask
    probs: NDArray[np.float32]


class Outliner(Protocol):
    """Draws the lesions of an image."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def outline(self, image: Image, sample_id: str) -> Outlined:
        """Outline the lesions of an image, uint8 HW; the sample's name tells a cross-validation its network."""
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

    def guess(self, image: Image) -> Seed:
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
class MethodOutliner:
    """A method without training, after a chain of filters.

    Attributes:
        name: Of the method.
        steps: Of the chain.
        prompt: A person's help; None for none.
        postprocess: From scores to a mask.
    """

    name: ClassicalName
    steps: tuple[Step, ...] = ()
    prompt: Prompt | None = None
    postprocess: PostprocessSettings = field(default_factory=PostprocessSettings)

    def __post_init__(self) -> None:
        """Refuse help that the method cannot use."""
        if self.prompt is not None and self.name not in PROMPTED:
            raise RecipeError(f"{self.name}: cannot start from a box or a click; choose {', '.join(PROMPTED)}")

    def outline(self, image: Image, sample_id: str = "") -> Outlined:
        """Outline the lesion of an image, uint8 HW.

        Raises:
            DataError: The prompt lies outside the image.
        """
        field = field_of(image, self.steps)
        enhanced = image.copy()
        field.cut(enhanced)[:] = apply_chain(field.cut(image), self.steps)
        scores = np.zeros(image.shape, dtype=np.float32)
        if self.prompt is None:
            field.cut(scores)[:] = METHODS[self.name](field.cut(enhanced))
        else:
            scores[:] = PROMPTED[self.name](enhanced, guess=self.prompt.guess(enhanced))
            if self.prompt.box is not None:
                scores *= within_box(np.ones(image.shape, np.bool_), self.prompt.box)
        return Outlined(to_mask(scores, self.postprocess), scores)


@dataclass(frozen=True, slots=True, eq=False)
class BundleOutliner:
    """A bundle that draws masks.

    Attributes:
        name: Of the bundle.
        predictor: Opened from it.
    """

    name: str
    predictor: Predictor

    def outline(self, image: Image, sample_id: str = "") -> Outlined:
        """Outline the lesion of an image, uint8 HW."""
        found = self.predictor.predict(image)
        if found.mask is None or found.mask_probs is None:
            raise BundleError(f"{self.name}: the bundle draws no masks; train a recipe that segments")
        return Outlined(found.mask, found.mask_probs)


def bundle_outliner(folder: Path) -> BundleOutliner:
    """Open a bundle, or the folder of a run, that draws masks.

    Raises:
        BundleError: It is none, or it draws no masks.
    """
    bundle = load_bundle(folder)
    if bundle.card.segment is None:
        raise BundleError(f"{folder}: the bundle draws no masks; train a recipe that segments")
    return BundleOutliner(bundle.card.name, open_predictor(bundle))
