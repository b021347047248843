"""All that happens to a picture before a network sees it: the field, the chain, the channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.errors import ConfigError
from busight.preprocess.enhance.chain import Step, apply_chain, crop_box_of, parse_chain
from busight.types import Image, Roi

RAW = "raw"
"""The channel that adds nothing to the chain."""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """A chain, and the channels that follow it.

    Attributes:
        steps: The chain; a first ``crop_region`` chooses the field.
        channels: None, for one grey channel, or three chains, each applied to the enhanced picture.
    """

    steps: tuple[Step, ...] = ()
    channels: tuple[tuple[Step, ...], ...] = ()

    @property
    def n_channels(self) -> int:
        """Channels of a network's input: 1 or 3."""
        return len(self.channels) or 1

    def field(self, image: Image) -> Roi:
        """Return the part of a picture, uint8 HW, that everything else sees."""
        return crop_box_of(image, self.steps)

    def enhanced(self, image: Image) -> Image:
        """Apply the chain to a picture already cut to its field: uint8 HW to uint8 HW."""
        return apply_chain(image, self.steps)

    def layers(self, enhanced: Image) -> Image:
        """Return what a network sees of an enhanced picture: uint8 HW, or HW3 where there are channels."""
        if not self.channels:
            return enhanced
        return np.stack([apply_chain(enhanced, channel) for channel in self.channels], axis=-1)


def parse_enhancement(chain: str, channels: tuple[str, ...] = ()) -> Enhancement:
    """Read the texts of a recipe or a card.

    Args:
        chain: Filters for all channels.
        channels: None or three chains; ``raw`` adds nothing.

    Raises:
        ConfigError: A text is no chain, a channel crops, or there are not three channels.

    Example:
        >>> parse_enhancement("crop_region", ("raw", "clahe(2)", "srad(40) | clahe(2)")).n_channels
        3
    """
    if len(channels) not in (0, 3):
        raise ConfigError(f"enhance.channels: {len(channels)} of them; give none, or three chains")
    parsed = tuple(parse_chain("" if text.strip() == RAW else text) for text in channels)
    if any(step.is_crop for steps in parsed for step in steps):
        raise ConfigError("enhance.channels: crop_region belongs into enhance.chain, where it serves all channels")
    return Enhancement(parse_chain(chain), parsed)
