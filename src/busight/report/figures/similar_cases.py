"""The training images that look alike to the network, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from busight.model.explain.explained import SimilarCase
from busight.report.figures.panels import panel_grid, show_grey
from busight.report.render.plate import Plate
from busight.report.text.labels import short_label


def draw_similar(cases: Sequence[SimilarCase]) -> Figure:
    """Draw each image under its finding and its likeness.

    Args:
        cases: Those whose pixels are at hand, at least one.
    """
    figure, axes = panel_grid(len(cases), 5)
    for ax, one in zip(axes, cases, strict=True):
        if one.image is not None:
            show_grey(ax, one.image)
        ax.set_title(f"{short_label(one.label, 12)} {one.likeness:.2f}", loc="left", fontsize=8)
    return figure


def plates(cases: Sequence[SimilarCase]) -> list[Plate]:
    """Return the one figure, or none where no pixels are at hand."""
    shown = [one for one in cases if one.image is not None]
    if not shown:
        return []
    told = ", ".join(f"{one.sample_id} ({one.label}, {one.likeness:.2f})" for one in shown)
    return [
        Plate(
            name="similar-cases",
            title="The most alike training images",
            reading="Finding and likeness stand above each. Alike to the network does not mean alike to a person: "
            "where these show something else, doubt the answer.",
            alt=f"Training images: {told}.",
            draw=partial(draw_similar, shown),
            photographic=True,
        )
    ]
