"""Grid of images with target and prediction, errors marked."""

from __future__ import annotations

from matplotlib.figure import Figure

from busight.report.figures.panels import mark_wrong, panel_grid, show_grey, shown_cases, title
from busight.report.render.figure_spec import FigureSpec
from busight.report.text.sanitise import short_label
from busight.results.case import StageImages
from busight.results.records import ResultRecord


def draw_target_prediction(cases: list[StageImages]) -> Figure:
    """Draw each image under its target and its prediction."""
    figure, axes = panel_grid(len(cases), 4, panel_height=1.9)
    for ax, stages in zip(axes, cases, strict=True):
        show_grey(ax, stages.image)
        case = stages.case
        if case.is_error:
            mark_wrong(ax)
        prediction = f"prediction: {short_label(case.prediction, 12)} ({max(case.calibrated_probs):.2f})"
        lines = [f"target: {short_label(case.target, 18)}", prediction, short_label(case.sample_id, 24)]
        title(ax, lines, weight="bold" if case.is_error else "normal")
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return one grid of up to sixteen cases, or none where the record holds no image."""
    cases = shown_cases(record, 16)
    if not cases:
        return []
    n_errors = sum(stages.case.is_error for stages in cases)
    return [
        FigureSpec(
            name="target-prediction",
            title="Target and prediction",
            caption="Above each image: its target, its prediction and the calibrated probability of the prediction. A "
            "frame with a cross marks an error. The images are examples; their share of errors is not the error rate.",
            alt=f"Grid of {len(cases)} test images with target and prediction; {n_errors} are marked as errors.",
            draw=lambda: draw_target_prediction(cases),
            photographic=True,
        )
    ]
