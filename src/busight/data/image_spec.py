"""What images look like: grey or RGB, how many bits, which window becomes 0–255."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Format of a source's images.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        bits: Of a stored grey value, 8–16.
        window: Stored values that become 0 and 255; None for all that the bits can hold.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    channels: Literal[1, 3] = 1
    bits: int = 8
    window: tuple[float, float] | None = None
