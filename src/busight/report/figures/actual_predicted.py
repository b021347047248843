"""A grid of actual against predicted classes, the wrong ones marked."""

from __future__ import annotations

from matplotlib.figure import Figure

from busight.report.figures.panels import distinct_pictures, is_wrong, mark_wrong, panel_grid, show_grey, title
from busight.report.render.plate import Plate
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord, StagePicture


def draw_actual_predicted(pictures: list[StagePicture]) -> Figure:
    """Draw each picture under its actual and its predicted class."""
    figure, axes = panel_grid(len(pictures), 4, panel_height=1.9)
    for ax, picture in zip(axes, pictures, strict=True):
        show_grey(ax, picture.image)
        case = picture.case
        wrong = is_wrong(case)
        if wrong:
            mark_wrong(ax)
        called = f"predicted: {short_label(case.predicted, 12)} ({max(case.calibrated_probs):.2f})"
        lines = [f"actual: {short_label(case.actual or 'unknown', 18)}", called, short_label(case.sample_id, 24)]
        title(ax, lines, weight="bold" if wrong else "normal")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return one grid of up to sixteen cases, or none where the record holds no picture."""
    pictures = distinct_pictures(record, 16)
    if not pictures:
        return []
    wrong = sum(is_wrong(picture.case) for picture in pictures)
    return [
        Plate(
            name="actual-predicted",
            title="Actual against predicted",
            reading="Above each picture: what it is, what it was called, and the calibrated probability of that call. "
            "A framed picture with a cross is wrong. The choice shows examples; it is not a measure of how often.",
            alt=f"Grid of {len(pictures)} test images with actual and predicted class; {wrong} are marked wrong.",
            draw=lambda: draw_actual_predicted(pictures),
            photographic=True,
        )
    ]
