"""The specification of a figure: its name, title, caption and alternative text, and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """One figure of a report, before it is drawn.

    Attributes:
        name: File stem, unique within a report (``"confusion-matrix"``).
        title: A short heading.
        caption: A sentence that says how to read it.
        alt: Alternative text: its content in words.
        draw: Makes the figure; called under ``style.styled()``.
        width: ``"half"`` where two may stand side by side.
        photographic: True where ultrasound pixels dominate, so that pages show the PNG and not the SVG.
    """

    name: str
    title: str
    caption: str
    alt: str
    draw: Callable[[], Figure]
    width: Literal["half", "full"] = "full"
    photographic: bool = False
