"""Predicted lesion outlines against the drawn ones."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from busight.report.figures.panels import (
    DRAWN_STYLE,
    PREDICTED_STYLE,
    distinct_pictures,
    outline,
    outline_legend,
    panel_grid,
    show_grey,
    title,
)
from busight.report.render.plate import Plate
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord, StagePicture


def draw_segmentation_overlays(pictures: list[StagePicture]) -> Figure:
    """Draw each picture with both outlines and the Dice coefficient between them."""
    figure, axes = panel_grid(len(pictures), 4)
    for ax, picture in zip(axes, pictures, strict=True):
        show_grey(ax, picture.image)
        outline(ax, picture.true_mask, DRAWN_STYLE)
        outline(ax, picture.mask, PREDICTED_STYLE)
        title(ax, [_verdict(picture), short_label(picture.case.sample_id, 24)])
    outline_legend(figure)
    return figure


def _verdict(picture: StagePicture) -> str:
    if not math.isnan(picture.case.mask.dice):
        return f"Dice {picture.case.mask.dice:.2f}"
    share = picture.case.mask.predicted_area_share
    if picture.mask is not None and not picture.mask.any():
        return "nothing drawn, nothing found"
    return "no drawn lesion" if math.isnan(share) else f"no drawn lesion; {share:.1%} found"


def plates(record: RunRecord) -> list[Plate]:
    """Return one grid of up to twelve overlays, or none where the chain does not segment."""
    pictures = [picture for picture in distinct_pictures(record, 12) if picture.mask is not None]
    if not pictures:
        return []
    return [
        Plate(
            name="segmentation-overlays",
            title="Lesion outlines, predicted and drawn",
            reading="The solid line was drawn by the data set’s authors, the dashed one predicted. Dice is 1 where "
            "they agree to the pixel and 0 where they do not touch; an outline on a normal image is a false alarm.",
            alt=f"{len(pictures)} ultrasound images with predicted and drawn lesion outlines.",
            draw=lambda: draw_segmentation_overlays(pictures),
            photographic=True,
        )
    ]
