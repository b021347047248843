"""A figure of the report before it is drawn: what it is called, how it is read, what it shows to who cannot see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Plate:
    """One figure of a report.

    Attributes:
        name: File stem, unique within a report (``"confusion-matrix"``).
        title: A short heading.
        reading: A sentence that says how to read it.
        alt: What it shows, in words, for readers who cannot see it.
        draw: Makes the figure; called under ``style.styled()``.
        width: ``"half"`` where two may stand side by side.
        photographic: True where ultrasound pixels dominate, so that pages show the PNG and not the SVG.
    """

    name: str
    title: str
    reading: str
    alt: str
    draw: Callable[[], Figure]
    width: Literal["half", "full"] = "full"
    photographic: bool = False
