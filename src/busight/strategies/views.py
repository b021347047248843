"""Views: crops of images as a network's input, run in batches, and outputs mapped back to the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.preprocess.resize import as_network_input, invert, resize_or_pad
from busight.strategies.engine import Engine, Outputs
from busight.types import FloatArray, Image, Roi


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The square input of a network.

    Attributes:
        size: Side in pixels.
        keep_aspect: Pad to a square instead of stretching.
    """

    size: int
    keep_aspect: bool


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A crop for a network.

    Attributes:
        channels: uint8 HW or HW3: the prepared image.
        roi: The crop.
    """

    channels: Image
    roi: Roi

    def pixels(self, spec: InputSpec) -> Image:
        """Return the crop at the network's size, uint8 SS or SS3."""
        return resize_or_pad(self.roi.cut(self.channels), spec.size, spec.keep_aspect)


@dataclass(frozen=True, slots=True, eq=False)
class ViewOutput:
    """A network's output for one view, the mean over test-time augmentation.

    Attributes:
        view: The view.
        spec: The spec of the network's input.
        outputs: The outputs of the graph, without the batch axis.
    """

    view: View
    spec: InputSpec
    outputs: Outputs

    @property
    def logits(self) -> FloatArray:
        """Logits, float64 (K,)."""
        return self.outputs["logits"].astype(np.float64)

    @property
    def features(self) -> NDArray[np.float32] | None:
        """Pooled features, float32 (C,); None where the graph does not give them."""
        return self.outputs.get("features")

    @property
    def area_share(self) -> float:
        """Share of the image's area that the view covers, above 0 and at most 1."""
        height, width = self.view.channels.shape[:2]
        return float(self.view.roi.height * self.view.roi.width / (height * width))

    @property
    def mask_probs(self) -> NDArray[np.float32] | None:
        """Lesion probabilities in the image's pixels, float32 HW, 0 outside the view; None without a mask decoder."""
        probs = self.outputs.get("mask_probs")
        return None if probs is None else self._placed(probs[0])

    def activation(self, class_index: int) -> NDArray[np.float32]:
        """Return a class-activation map in the image's pixels, float32 HW, 0 outside the view."""
        return self._placed(self.outputs["activation"][class_index])

    def _placed(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        roi = self.view.roi
        inside = invert(values, roi.height, roi.width, self.spec.keep_aspect, self.spec.size)
        whole = np.zeros(self.view.channels.shape[:2], dtype=np.float32)
        roi.cut(whole)[:] = inside
        return whole


def run_views(engine: Engine, views: Sequence[View], spec: InputSpec, tta: bool) -> list[ViewOutput]:
    """Run a network on views, all in one batch.

    Args:
        engine: The network.
        views: Crops, of one image or of many.
        spec: The spec of the network's input.
        tta: Test-time augmentation: run the mirrored views too and take the mean.
    """
    if not views:
        return []
    batch = as_network_input(np.stack([view.pixels(spec) for view in views]))
    outputs = engine.run(np.concatenate([batch, batch[..., ::-1]]) if tta else batch)
    if tta:
        outputs = {name: _mean_with_mirrored(values) for name, values in outputs.items()}
    return [
        ViewOutput(view, spec, {name: values[place] for name, values in outputs.items()})
        for place, view in enumerate(views)
    ]


def _mean_with_mirrored(values: NDArray[np.float32]) -> NDArray[np.float32]:
    plain, mirrored = np.split(values, 2)
    if values.ndim == 4:  # a map lies mirrored, too
        mirrored = mirrored[..., ::-1]
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told of the image
        return np.asarray((plain + mirrored) * np.float32(0.5))
