"""Lesion probability without PyTorch: a graph or a classical method behind one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from busight.preprocess.resize import as_network_input, from_input, to_input
from busight.segment.classical.catalogue import scores_of
from busight.segment.settings import ClassicalName
from busight.types import Image


class Segmenter(Protocol):
    """Says for each pixel how probably it is lesion."""

    def probs(self, image: Image) -> NDArray[np.float32]:
        """Map an enhanced image, uint8 HW or HWC, to float32 HW in 0–1."""
        ...


@dataclass(frozen=True, slots=True)
class ClassicalSegmenter:
    """A method without training.

    Attributes:
        name: In `busight.segment.classical.catalogue`.
    """

    name: ClassicalName

    def probs(self, image: Image) -> NDArray[np.float32]:
        """Map an enhanced image, uint8 HW, or HWC of which the first channel counts, to float32 HW in 0–1."""
        return scores_of(self.name, image if image.ndim == 2 else np.ascontiguousarray(image[..., 0]))


@dataclass(frozen=True, slots=True)
class GraphSegmenter:
    """A mask network as an ONNX graph.

    Attributes:
        session: ONNX Runtime session with input ``images`` and output ``mask_probs``.
        size: Side of its input.
        keep_aspect: Whether the image is padded instead of stretched.
        test_flip: Whether the mirrored image is looked at too.
    """

    session: Any
    size: int
    keep_aspect: bool
    test_flip: bool = False

    def probs(self, image: Image) -> NDArray[np.float32]:
        """Map an enhanced image, uint8 HW or HWC, to float32 HW in 0–1."""
        given = as_batch(to_input(image, self.size, self.keep_aspect))
        square = self._run(given)
        if self.test_flip:
            square = (square + self._run(np.ascontiguousarray(given[..., ::-1]))[:, ::-1]) * np.float32(0.5)
        return from_input(square, image.shape[0], image.shape[1], self.keep_aspect, self.size)

    def _run(self, given: NDArray[np.float32]) -> NDArray[np.float32]:
        probs: NDArray[np.float32] = self.session.run(["mask_probs"], {"images": given})[0][0, 0]
        return probs


def as_batch(image: Image) -> NDArray[np.float32]:
    """Return an input, uint8 HW or HWC, as float32 (1, C, H, W) in 0–1."""
    return as_network_input(image[None])
