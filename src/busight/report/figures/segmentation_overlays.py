"""Predicted against annotated lesion outlines."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from busight.report.figures.panels import (
    ANNOTATED_STYLE,
    PREDICTED_STYLE,
    outline,
    outline_legend,
    panel_grid,
    show_grey,
    shown_cases,
    title,
)
from busight.report.render.figure_spec import FigureSpec
from busight.report.text.sanitise import short_label
from busight.results.case import StageImages
from busight.results.records import ResultRecord


def draw_segmentation_overlays(cases: list[StageImages]) -> Figure:
    """Draw each image with both outlines and the Dice coefficient between them."""
    figure, axes = panel_grid(len(cases), 4)
    for ax, stages in zip(axes, cases, strict=True):
        show_grey(ax, stages.image)
        outline(ax, stages.annotated_mask, ANNOTATED_STYLE)
        outline(ax, stages.mask, PREDICTED_STYLE)
        title(ax, [_score(stages), short_label(stages.case.sample_id, 24)])
    outline_legend(figure)
    return figure


def _score(stages: StageImages) -> str:
    scores = stages.case.mask_scores
    if not math.isnan(scores.dice):
        return f"Dice {scores.dice:.2f}"
    if stages.mask is not None and not stages.mask.any():
        return "no lesion: none predicted"
    if math.isnan(scores.predicted_area_fraction):
        return "no lesion"
    return f"no lesion: {scores.predicted_area_fraction:.1%} predicted"


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return one grid of up to twelve overlays, or none where the chain does not segment."""
    cases = [stages for stages in shown_cases(record, 12) if stages.mask is not None]
    if not cases:
        return []
    return [
        FigureSpec(
            name="segmentation-overlays",
            title="Lesion outlines, predicted and annotated",
            caption="The solid line is the annotation of the data set, the dashed one the prediction. Dice is 1 "
            "where they agree to the pixel and 0 where they do not overlap; an outline on a normal image is a false "
            "positive.",
            alt=f"{len(cases)} ultrasound images with predicted and annotated lesion outlines.",
            draw=lambda: draw_segmentation_overlays(cases),
            photographic=True,
        )
    ]
