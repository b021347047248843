"""Grid of sample images with their annotated lesion outlines."""

from __future__ import annotations

from busight.report.figures.contact_sheet import SheetImage, draw_contact_sheet
from busight.report.figures.panels import shown_cases
from busight.report.render.figure_spec import FigureSpec
from busight.results.records import ResultRecord


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return one grid of up to twelve images, or none where the record holds no image."""
    images = [
        SheetImage(stages.case.sample_id, stages.image, stages.annotated_mask, stages.case.target)
        for stages in shown_cases(record, 12)
    ]
    if not images:
        return []
    n_annotated = sum(image.mask is not None for image in images)
    return [
        FigureSpec(
            name="sample-grid",
            title="Sample images",
            caption="Each image is shown as read, under its class; the outline is the annotated lesion. An image "
            "without an outline has no annotated lesion.",
            alt=f"Grid of {len(images)} ultrasound images, {n_annotated} of them with an annotated lesion outline.",
            draw=lambda: draw_contact_sheet(images, columns=4),
            photographic=True,
        )
    ]
