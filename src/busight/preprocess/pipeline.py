"""Preprocessing: crop box, filter chain, channels. One class for training, tuning, prediction and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from busight.data.image_spec import ImageSpec
from busight.errors import ConfigError, DataError
from busight.preprocess.enhance.chain import Step, apply_chain, crop_box_of, parse_chain
from busight.types import Image, Roi

_T = TypeVar("_T", bound=np.generic)

RAW = "raw"
"""The channel that adds nothing to the chain."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """A preprocessed image.

    Attributes:
        image: uint8 HW or HW3: the whole image.
        crop_box: The box of it that everything else is computed from.
        enhanced: uint8 hw or hw3: the crop box after the filter chain.
        channels: uint8 hw or hw3: the channels that views are cut from.
        region: A box around the lesion that a reader chose, in pixels of the crop box; None without one.
    """

    image: Image
    crop_box: Roi
    enhanced: Image
    channels: Image
    region: Roi | None = None

    @property
    def cropped(self) -> Image:
        """The crop box of the image, before the filters."""
        return self.crop_box.cut(self.image)

    @property
    def box(self) -> Roi:
        """The box of the whole cropped image, in its own pixels."""
        return Roi(0, 0, self.crop_box.height, self.crop_box.width)

    def pointed_at(self, region: Roi) -> PreparedImage:
        """Return the image with a region that a reader chose in the whole image, as far as the crop box has it.

        Raises:
            DataError: The box is empty, or outside the image or its crop box.
        """
        height, width = self.image.shape[:2]
        box = self.crop_box
        top, bottom = (min(max(edge, box.top), box.bottom) - box.top for edge in (region.top, region.bottom))
        left, right = (min(max(edge, box.left), box.right) - box.left for edge in (region.left, region.right))
        inside = region.top >= 0 and region.left >= 0 and region.bottom <= height and region.right <= width
        if not inside or top >= bottom or left >= right:
            raise DataError(
                f"region {region.left},{region.top},{region.width},{region.height}: empty, or outside the image of "
                f"{width}×{height} pixels; give x,y,w,h in its pixels"
            )
        return replace(self, region=Roi(top, left, bottom, right))

    def uncrop(self, values: NDArray[_T]) -> NDArray[_T]:
        """Return a map of the cropped image, (h, w), in the pixels of the whole image, (H, W); 0 outside the box."""
        if self.crop_box == Roi(0, 0, *self.image.shape[:2]):
            return values
        whole = np.zeros((*self.image.shape[:2], *values.shape[2:]), dtype=values.dtype)
        self.crop_box.cut(whole)[:] = values
        return whole


@dataclass(frozen=True, slots=True)
class Preprocess:
    """The preprocessing of an image before views are cut from it.

    Attributes:
        image: The image spec that it takes.
        steps: The filter chain; a first ``crop_region`` chooses the crop box.
        channels: None, for the enhanced image itself, or three chains that follow it, one per channel.

    Example:
        >>> parse_preprocess("median(3)")(np.full((64, 80), 90, np.uint8)).channels.shape
        (64, 80)
    """

    image: ImageSpec = field(default_factory=ImageSpec)
    steps: tuple[Step, ...] = ()
    channels: tuple[tuple[Step, ...], ...] = ()

    @property
    def n_channels(self) -> int:
        """Channels of a network's input: 1 or 3."""
        return len(self.channels) or self.image.channels

    def __call__(self, image: Image) -> PreparedImage:
        """Crop and enhance an image, uint8 HW or HW3."""
        crop_box = crop_box_of(image, self.steps)
        enhanced = apply_chain(crop_box.cut(image), self.steps)
        channels = enhanced
        if self.channels:
            channels = np.stack([apply_chain(enhanced, chain) for chain in self.channels], axis=-1)
        return PreparedImage(image, crop_box, enhanced, channels)

    @property
    def chain_text(self) -> str:
        """The filter chain with every default written out, as in a bundle's card."""
        return " | ".join(map(str, self.steps))

    @property
    def channel_texts(self) -> tuple[str, ...]:
        """The channels' chains with every default written out."""
        return tuple(" | ".join(map(str, chain)) or RAW for chain in self.channels)


def parse_preprocess(chain: str, channels: tuple[str, ...] = (), image: ImageSpec | None = None) -> Preprocess:
    """Parse the preprocessing of a recipe or a card.

    Args:
        chain: Filters for all channels.
        channels: None, or three chains; ``raw`` adds nothing.
        image: The image spec; None for 8-bit grey.

    Raises:
        ConfigError: A text is no chain, a channel crops, there are not three channels, or channels are given for RGB
            images.

    Example:
        >>> parse_preprocess("crop_region", ("raw", "clahe(2)", "srad(40) | clahe(2)")).n_channels
        3
    """
    image = image or ImageSpec()
    if len(channels) not in (0, 3):
        raise ConfigError(f"enhance.channels: {len(channels)} of them; give none, or three chains")
    if channels and image.channels == 3:
        raise ConfigError("enhance.channels: RGB images have three channels already; leave enhance.channels away")
    parsed = tuple(parse_chain("" if text.strip() == RAW else text) for text in channels)
    if any(step.is_crop for steps in parsed for step in steps):
        raise ConfigError("enhance.channels: crop_region belongs into enhance.chain, where it serves all channels")
    return Preprocess(image, parse_chain(chain), parsed)
