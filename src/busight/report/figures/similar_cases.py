"""The training images most similar in feature space, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from busight.model.explain.explained import SimilarCase
from busight.report.figures.panels import panel_grid, show_grey
from busight.report.render.figure_spec import FigureSpec
from busight.report.text.sanitise import short_label


def draw_similar(cases: Sequence[SimilarCase]) -> Figure:
    """Draw each image under its label and its similarity.

    Args:
        cases: The cases with available pixels, at least one.
    """
    figure, axes = panel_grid(len(cases), 5)
    for ax, case in zip(axes, cases, strict=True):
        if case.image is not None:
            show_grey(ax, case.image)
        ax.set_title(f"{short_label(case.label, 12)} {case.likeness:.2f}", loc="left", fontsize=8)
    return figure


def figure_specs(cases: Sequence[SimilarCase]) -> list[FigureSpec]:
    """Return the one figure spec, or none where no pixels are available."""
    shown = [case for case in cases if case.image is not None]
    if not shown:
        return []
    names = ", ".join(f"{case.sample_id} ({case.label}, {case.likeness:.2f})" for case in shown)
    return [
        FigureSpec(
            name="similar-cases",
            title="The most similar training images",
            caption="Label and cosine similarity of the features stand above each. Similar features do not mean "
            "similar images: where these show something else, doubt the prediction.",
            alt=f"Training images: {names}.",
            draw=partial(draw_similar, shown),
            photographic=True,
        )
    ]
