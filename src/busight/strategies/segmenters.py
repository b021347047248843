"""Segmenters that come before a classifier: a network's graph, or a method without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.catalogue import scores_of
from busight.segment.settings import ClassicalName
from busight.strategies.engine import Engine
from busight.strategies.views import InputSpec, View, run_views
from busight.types import Image, Roi


class MaskSource(Protocol):
    """A segmenter of prepared images: it returns each pixel's probability of being lesion."""

    def probs(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Map prepared images, uint8 HW or HW3 of any sizes, to float32 HW in 0–1."""
        ...


@dataclass(frozen=True, slots=True)
class ClassicalSegmenter:
    """A method without training.

    Attributes:
        name: In `busight.segment.classical.catalogue`.
    """

    name: ClassicalName

    def probs(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Map prepared images to float32 HW in 0–1; of three channels the first is used."""
        return [
            scores_of(self.name, image if image.ndim == 2 else np.ascontiguousarray(image[..., 0])) for image in images
        ]


@dataclass(frozen=True, slots=True)
class NetworkSegmenter:
    """A mask network.

    Attributes:
        engine: Its graph, with the output ``mask_probs``.
        spec: The spec of its input.
        tta: Whether the mirrored image is run too.
    """

    engine: Engine
    spec: InputSpec
    tta: bool = False

    def probs(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Map prepared images to float32 HW in 0–1, in one batch."""
        views = [View(image, Roi(0, 0, *image.shape[:2])) for image in images]
        outputs = run_views(self.engine, views, self.spec, self.tta)
        return [probs for output in outputs if (probs := output.mask_probs) is not None]
